import Curl
import Logging
import Settings

/// The transfers of probes, and those of everything else: a list of 48 MB must not stand between a due time and a socket.
struct Engines: Sendable {
    let probes: TransferEngine
    let requests: TransferEngine
    /// Who may have how many descriptors.
    let shares: DescriptorShares

    /// - Throws: when the system has no threads left.
    init(_ settings: Settings, _ logger: Logger) throws {
        shares = shareOutDescriptors(settings, logger)
        probes = try TransferEngine(
            name: ThreadPriorities.probes, resolver: NameResolver(threads: shares.lookups),
            maxIdleConnections: shares.idleConnections)
        requests = try TransferEngine(resolver: NameResolver(threads: 4))
    }

    func shutDown() async {
        await probes.shutDown()
        await requests.shutDown()
    }
}
