import Health
import Logging
import ServiceLifecycle
import Synchronization
import TargetsAPI
import TestSupport
import Testing

@testable import TargetsServer

@Suite(.timeLimit(.minutes(5))) struct LifecycleTests {
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test func aGracefulShutdownEndsWithAnIdleConnectionOpen() async throws {
        let folder = try TemporaryFolder()
        let store = try TargetStore(path: folder.file("targets.db"))
        let (ports, port) = AsyncStream<Int>.makeStream()
        let server = TargetsServer(
            configuration: .init(host: "127.0.0.1", port: 0, tokens: [AccessToken(name: "all", secret: Secret(registryToken))]),
            store: store
        ) { port.yield($0) }
        let group = ServiceGroup(services: [Running(server: server)], logger: quiet)
        async let ended: Void = group.run()
        var iterator = ports.makeAsyncIterator()
        let listening = try #require(await iterator.next())
        let connection = try Connection(port: listening)
        defer { connection.close() }
        try await onThread { _ = connection.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") && connection.readSome() != nil }
        await group.triggerGracefulShutdown()
        // It would be idle for longer.
        #expect(try await onThread { connection.waitForClose(atMost: .seconds(30)) })
        try await ended
        try store.close()
    }

    /// In a process of its own: what NIO drops ends the process.
    @Test(arguments: [true, false]) func itEndsUnderAFloodOfConnections(isGraceful: Bool) async {
        await #expect(processExitsWith: .success) { [isGraceful] in
            let folder = try TemporaryFolder()
            let store = try TargetStore(path: folder.file("targets.db"))
            for _ in 0..<5 {
                let (ports, port) = AsyncStream<Int>.makeStream()
                let server = TargetsServer(configuration: .init(host: "127.0.0.1", port: 0, tokens: []), store: store) {
                    port.yield($0)
                }
                let group = ServiceGroup(
                    services: [Running(server: server)], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
                let running = Task { try await group.run() }
                let flood = ConnectionFlood(port: try #require(await ports.first { _ in true }))
                try await flood.until(200)
                if isGraceful { await group.triggerGracefulShutdown() } else { running.cancel() }
                try? await running.value
                try await flood.stop()
            }
            try store.close()
        }
    }

    @Test func noTokenPathOrQueryIsLogged() async throws {
        let log = RecordedLog()
        let logger = Logger(label: "test") { _ in log }
        let folder = try TemporaryFolder()
        try await withServer(database: folder.file("targets.db"), logger: logger) { port in
            _ = try await client(port: port).list()
            let wrong = request("GET", targetsPath + "?q=private-query", token: "other-secret")
            _ = try await exchange(port, wrong)
            _ = try await exchange(port, request("POST", targetsPath, body: "{"))
            _ = try? await exchange(port, "GARBAGE \(registryToken)\r\n\r\n")
            #expect(log.lines == [])
            // What its fixtures has to know is.
            _ = try await onThread { try ChildProcess.run("sqlite3", [folder.file("targets.db"), "DROP TABLE target"]) }
            let broken = try await exchange(port, request("GET", targetsPath))
            #expect(broken.status == 500)
        }
        #expect(log.lines.contains { $0.contains("The targets database failed: ") })
        for secret in [registryToken, "other-secret", "private-query", documentedClient] {
            #expect(!log.lines.contains { $0.contains(secret) })
        }
    }
}

private struct Running: Service {
    let server: TargetsServer

    func run() async throws { try await server.run() }
}

/// Keeps every line of every level.
final class RecordedLog: LogHandler, Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }
    var logLevel: Logger.Level {
        get { .trace }
        set { _ = newValue }
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set { _ = newValue }
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set { kept.withLock { $0.append("\(String(describing: newValue))") } }
    }

    func log(event: LogEvent) { kept.withLock { $0.append("\(event.message) \(String(describing: event.metadata))") } }
}
