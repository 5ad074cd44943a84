import ConnectionLimits
import Daemon
import Glibc
import Health
import History
import Logging
import SampleTargets
import ServiceLifecycle
import Settings
import Synchronization
import TargetsAPI
import TargetsServer
import Terminal
import UnixSignals

/// The sample targets, an embedded Targets API that lists them, the daemon that watches them, and a table of what it sees.
struct Demo {
    private static let clientID = "demo"
    /// Of this run only: it protects nothing but the demo's own list.
    private let token = Secret((0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined())
    private let directory: StateDirectory
    private let port: Int
    private let style: TerminalStyle
    private let samples: SampleTargets

    init(directory: StateDirectory, port: Int, style: TerminalStyle) throws {
        self.directory = directory
        self.port = port
        self.style = style
        samples = try SampleTargets()
        try writeFile(samples.authorityPEM, to: directory.file("sample-authority.pem"))
    }

    func run() async throws {
        say("starting sample targets and an embedded Targets API on 127.0.0.1 …")
        let store = try TargetStore(path: directory.file("targets.db"))
        let ports = ListeningPorts()
        let samplesService = DemoService {
            try await samples.run { list in
                do { try await fill(store, with: list) } catch { say("the sample targets can't be listed: \(error)") }
                ports.samplesAreUp()
            }
        }
        let server = TargetsServer(
            configuration: .init(host: "127.0.0.1", port: 0, tokens: [AccessToken(name: "demo", secret: token)]), store: store,
            onListening: { port in ports.apiListens(on: port) })
        let serverService = DemoService { try await server.run() }
        let watching = DemoService {
            guard let apiPort = await ports.apiPort() else { return }
            try await makeHistory(store)
            say("starting the daemon; its log goes to \(directory.file("rangefinder.log"))")
            try await watch(apiPort: apiPort)
        }
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: samplesService), .init(service: serverService),
                .init(
                    service: watching, successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup),
            ], gracefulShutdownSignals: [.sigterm, .sigint, .sighup],
            logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() })
        configuration.maximumGracefulShutdownDuration = .seconds(5)
        var failure: (any Error)?
        do { try await ServiceGroup(configuration: configuration).run() } catch let error as ListenFailure {
            let sentence = error.trouble?.sentence(change: "choose another port by --port (0 finds a free one)")
            failure = Failure(.unreachable, sentence ?? error.description)
        } catch { failure = error }
        do { try store.close() } catch { say("\(error)") }
        if let failure { throw failure }
    }

    /// A state directory that is kept has its own history after its first time.
    private func makeHistory(_ store: TargetStore) async throws {
        let path = directory.file("history.db")
        guard access(path, F_OK) != 0 else { return }
        say("making up ninety days of history …")
        let targets = try await store.list(clientID: Self.clientID).records.compactMap { record in
            record.sKey.map { key in
                Target(
                    identity: TargetIdentity(clientID: Self.clientID, key: key), name: record.name, baseURL: record.baseURL,
                    testPath: record.testPath, region: record.region, ruleEffect: record.ruleEffect)
            }
        }
        var history = try SampleHistory(path: path, vantage: "demo", targets: targets, until: .now())
        await history.write()
    }

    /// Runs the daemon and draws what it sees until it ends.
    private func watch(apiPort: Int) async throws {
        let daemon = ForegroundDaemon(directory: directory, style: style, isSample: true)
        let settings = try settings(apiPort: apiPort)
        try await daemon.run(settings, handlesSignals: false) { [directory] pagesPort in
            Self.addresses(apiPort: apiPort, pagesPort: pagesPort, directory)
        }
    }

    private static func addresses(apiPort: Int, pagesPort: Int, _ directory: StateDirectory) -> [String] {
        [
            "Pages        http://127.0.0.1:\(pagesPort)/",
            "Metrics      http://127.0.0.1:\(pagesPort)/metrics",
            "Targets API  http://127.0.0.1:\(apiPort)/api/clients/\(clientID)/targets",
            "Files        \(directory.path)  (history.db, token, rangefinder.log)",
            "Ctrl-C ends the demo.",
        ]
    }

    private func settings(apiPort: Int) throws -> Settings {
        try writeFile(token.reveal() + "\n", to: directory.file("token"))
        var settings = Settings()
        settings.vantage.name = "demo"
        settings.listen = ListenAddress(host: "127.0.0.1", port: port)
        settings.targetsAPI.baseURL = "http://127.0.0.1:\(apiPort)"
        settings.targetsAPI.clients = [.init(id: Self.clientID, token: token)]
        settings.targetsAPI.syncInterval = .seconds(5)
        settings.history.path = directory.file("history.db")
        settings.egress.allow = [CIDR("127.0.0.0/8")].compactMap { $0 }
        settings.probe = ProbePolicy(userAgent: Rangefinder.userAgent)
        settings.probe.interval = .seconds(4)
        settings.probe.fastInterval = .seconds(1)
        settings.probe.timeout = .seconds(2)
        settings.probe.maxDuration = .milliseconds(500)
        settings.probe.caFile = directory.file("sample-authority.pem")
        return settings
    }

    private func fill(_ store: TargetStore, with samples: [SampleTarget]) async throws {
        // A kept state directory has the list of an earlier run, whose ports are gone.
        for old in try await store.list(clientID: Self.clientID).records {
            guard let key = old.sKey else { continue }
            _ = try await store.delete(TargetIdentity(clientID: Self.clientID, key: key))
        }
        let drafts = samples.map {
            TargetDraft(
                name: $0.name, baseURL: $0.baseURL, testPath: $0.testPath, region: $0.region, ruleEffect: nil)
        }
        _ = try await store.create(drafts, clientID: Self.clientID)
    }

    private func say(_ line: String) { printError("rangefinder: \(line)") }
}

private struct DemoService: Service {
    let body: @Sendable () async throws -> Void
    func run() async throws { try await body() }
}
