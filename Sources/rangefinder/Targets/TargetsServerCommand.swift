import ArgumentParser
import ConnectionLimits
import Daemon
import Glibc
import Health
import Logging
import ServiceLifecycle
import Settings
import TargetsServer
import UnixSignals

private struct ServerService: Service {
    let server: TargetsServer
    func run() async throws { try await server.run() }
}

struct TargetsServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "targets-server", abstract: "Run the embedded Targets API on its own.")

    @Option(help: ArgumentHelp("The address to listen on. Port 0 lets the system choose.", valueName: "host:port"))
    var listen = "127.0.0.1:10116"

    @Option(help: ArgumentHelp("The SQLite database of targets.", valueName: "file"), completion: .file())
    var database: String

    @Option(help: ArgumentHelp("A file with the token that may act for every client.", valueName: "file"), completion: .file())
    var tokenFile: String

    @Option(help: ArgumentHelp("Requests a second. Twice as many in a burst. More get 429.", valueName: "number"))
    var rate = TargetsServer.Configuration.defaultRate

    func validate() throws {
        guard rate >= 1 else { throw ValidationError("--rate wants a number of 1 or more.") }
    }

    func run() async throws {
        let address = try listenAddress()
        let surroundings = ProcessEnvironment.system()
        let token = try readTokenFile(tokenFile, surroundings)
        let (lock, store): (InstanceLock?, TargetStore)
        do { lock = try InstanceLock(besides: database) } catch {
            throw Failure(.unreachable, "\(error)")
        }
        do { store = try TargetStore(path: database) } catch {
            throw Failure(.unreachable, "\(error)")
        }
        let logger = standardErrorLogger(.text, LogLevel(.info))
        var configuration = TargetsServer.Configuration(
            host: address.host, port: address.port, tokens: [AccessToken(name: "token", secret: token)], rate: rate,
            names: [surroundings.hostName])
        if let limit = raiseDescriptorLimit() { configuration.connections = connections(under: limit, logger) }
        let server = TargetsServer(
            configuration: configuration, store: store, logger: logger,
            onListening: { port in
                logger.info("the Targets API listens", metadata: ["address": "\(ListenAddress(host: address.host, port: port))"])
            })
        var failure: Failure?
        do { try await run(server) } catch {
            let trouble = ListenTrouble(error, at: "\(address)")
            failure = Failure(.unreachable, trouble.sentence(change: "choose another address by --listen"))
        }
        do { try store.close() } catch {
            logger.warning("the WAL stays beside the database until the next start; copy both or neither: \(error)")
        }
        lock?.release()
        if let failure { throw failure }
    }

    private func connections(under limit: Int, _ logger: Logger) -> Int {
        let connections = DescriptorShares.apiConnections(alone: limit)
        if connections < TargetsServer.connectionsMax {
            logger.warning(
                "the limit of \(limit) open files allows \(counted(connections, "connection")) at once; raise it (ulimit -n, LimitNOFILE)"
            )
        }
        return connections
    }

    private func run(_ server: TargetsServer) async throws {
        var configuration = ServiceGroupConfiguration(
            services: [ServerService(server: server)], gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() })
        configuration.maximumGracefulShutdownDuration = .seconds(4)
        try await ServiceGroup(configuration: configuration).run()
    }

    private func listenAddress() throws -> ListenAddress {
        let parts = listen.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 2, let port = parts.last.flatMap({ Int($0) }), (0...65_535).contains(port) else {
            throw Failure(.usage, "--listen wants HOST:PORT, as in 127.0.0.1:10116")
        }
        let host = parts.dropLast().joined(separator: ":")
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        return ListenAddress(host: isBracketed ? String(host.dropFirst().dropLast()) : host, port: port)
    }
}
