import Curl
import Foundation
import Health
import Logging
import Settings
import Synchronization
import TestSupport

@testable import Daemon

let testToken = "t0ken-of-the-tests-4711"

/// A Targets API that answers what a test sets.
final class ScriptedAPI: Sendable {
    private final class Script: Sendable {
        let reply: Mutex<LoopbackReply>
        init(_ reply: LoopbackReply) { self.reply = Mutex(reply) }
    }

    let server: LoopbackServer
    private let script: Script

    init(_ first: LoopbackReply) throws {
        let script = Script(first)
        self.script = script
        server = try LoopbackServer { _ in script.reply.withLock { $0 } }
    }

    func answer(_ reply: LoopbackReply) { script.reply.withLock { $0 = reply } }
}

/// Settings for a daemon on loopback: everything quick, state in a folder.
func testSettings(_ folder: TemporaryFolder, api: String) -> Settings {
    var settings = Settings()
    settings.vantage.name = "test"
    settings.listen = ListenAddress(host: "127.0.0.1", port: 0)
    settings.targetsAPI.baseURL = api
    settings.targetsAPI.clients = [.init(id: documentedClient, token: Secret(testToken))]
    settings.targetsAPI.timeout = .seconds(30)
    settings.history.path = folder.file("history.db")
    settings.egress.allow = [CIDR("127.0.0.0/8")].compactMap { $0 }
    // The timeout is never longer than the interval, and a loaded machine must not make a timeout of an answer.
    settings.probe.interval = .seconds(2)
    settings.probe.fastInterval = .milliseconds(100)
    settings.probe.timeout = .seconds(2)
    settings.admin = true
    return settings
}

/// A daemon that runs for the time of one closure.
struct RunningDaemon: Sendable {
    let daemon: Daemon
    let log: LogCapture
    let port: Int
    private let client: TransferEngine

    struct Page: Sendable {
        var status: Int?
        var body: String
    }

    func get(_ path: String, headers: [(name: String, value: String)] = []) async throws -> Page {
        try await ask("GET", path, headers)
    }

    func post(_ path: String) async throws -> Page { try await ask("POST", path, []) }

    private func ask(_ method: String, _ path: String, _ headers: [(name: String, value: String)]) async throws -> Page {
        guard let url = URLParts("http://127.0.0.1:\(port)\(path)") else { throw URLError(.badURL) }
        var request = TransferRequest(url: url, method: method, timeout: .seconds(20))
        request.headers = headers
        (request.maxBody, request.keepBody) = (64 << 20, 64 << 20)
        let report = await client.transfer(request)
        return Page(status: report.status, body: String(decoding: report.body, as: UTF8.self))
    }

    /// The value of a series on `/metrics`, named as it stands there.
    func metric(_ series: String) async throws -> Double? {
        let line = try await get("/metrics").body.split(separator: "\n").first { $0.hasPrefix(series + " ") }
        return line.flatMap { Double($0.dropFirst(series.count + 1)) }
    }

    static func run<Value: Sendable>(
        _ settings: Settings, configuration: String? = nil, level: Logger.Level = .debug, environment: [String: String] = [:],
        _ body: @escaping @Sendable (RunningDaemon) async throws -> Value
    ) async throws -> Value {
        let log = LogCapture()
        let logLevel = LogLevel(level)
        var surroundings = ProcessEnvironment.system()
        let system = surroundings.environment
        surroundings.environment = { environment[$0] ?? system($0) }
        let (ports, announce) = AsyncStream.makeStream(of: Int.self)
        let daemon = try Daemon(
            settings: settings,
            context: .init(
                configurationPath: configuration, surroundings: surroundings, version: "test", logger: log.logger(logLevel),
                logLevel: logLevel,
                onListening: { listener, port in if listener == .pages { announce.yield(port) } }))
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                defer { announce.finish() }
                try await daemon.run(handlesSignals: false)
                return nil
            }
            guard let port = await ports.first(where: { _ in true }) else {
                try await group.waitForAll()
                throw CancellationError()
            }
            // Beside the daemon, so that one that ends in an error ends the test with it.
            group.addTask {
                let client = try TransferEngine()
                do {
                    let value = try await body(RunningDaemon(daemon: daemon, log: log, port: port, client: client))
                    await client.shutDown()
                    await daemon.shutDown()
                    return value
                } catch {
                    await client.shutDown()
                    print("The daemon's last lines:", log.lines.suffix(20).joined(separator: ""), separator: "\n")
                    throw error
                }
            }
            var value: Value?
            for try await done in group { value = done ?? value }
            guard let value else { throw CancellationError() }
            return value
        }
    }
}
