import Curl
import Logging
import Scheduling
import Settings

/// The transfers of probes, and those of everything else: a list of 48 MB must not stand between a due time and a socket.
struct Engines: Sendable {
    /// One for each lane.
    let probes: [TransferEngine]
    let requests: TransferEngine
    /// Who may have how many descriptors.
    let shares: DescriptorShares

    /// - Throws: when the system has no threads left.
    init(_ settings: Settings, _ logger: Logger) throws {
        let (lanes, shares) = (laneCount(settings.limits.threads), shareOutDescriptors(settings, logger))
        self.shares = shares
        let (authorities, resolver) = (Authorities(), NameResolver(threads: shares.lookups))
        probes = try (0..<lanes).map { lane in
            try TransferEngine(
                name: ThreadPriorities.probes(lane: lane), resolver: resolver, authorities: authorities,
                maxIdleConnections: max(1, shares.idleConnections / lanes))
        }
        requests = try TransferEngine(resolver: NameResolver(threads: 4), authorities: authorities)
    }

    /// What the scheduler runs on.
    var lanes: [LaneThread<EngineClock>] {
        probes.map { engine in
            LaneThread(clock: EngineClock(engine), executor: engine.executor) { LaneLoad(engine.load) }
        }
    }

    /// Closes the connections that probes keep and don't use just now.
    func closeKeptConnections() {
        for engine in probes { engine.closeKeptConnections() }
    }

    func shutDown() async {
        for engine in probes { await engine.shutDown() }
        await requests.shutDown()
    }
}

extension LaneLoad {
    init(_ load: EngineLoad) { self.init(busy: load.busy, lag: load.lag, waiting: load.waiting) }
}
