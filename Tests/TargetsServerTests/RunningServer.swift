import Foundation
import Health
import Logging
import ServiceLifecycle
import Synchronization
import TargetsAPI
import TestSupport

@testable import TargetsServer

let registryToken = "registry-token-1"
let targetsPath = "/api/clients/\(documentedClient)/targets"

/// A wall clock that a test sets.
final class SettableClock: Sendable {
    private let moment: Mutex<Timestamp>

    init(_ text: String) { moment = Mutex(Timestamp(text) ?? Timestamp(milliseconds: 0)) }

    func set(_ text: String) { moment.withLock { $0 = Timestamp(text) ?? $0 } }

    var now: @Sendable () -> Timestamp { { self.moment.withLock { $0 } } }
}

/// Runs a server on a loopback port of the system's choice until `body` has ended, and waits for its end.
@discardableResult
func withServer<Value: Sendable>(
    database: String, now: @escaping @Sendable () -> Timestamp = TargetStore.wallClock, names: [String] = [],
    tokens: [AccessToken] = [AccessToken(name: "all", secret: Secret(registryToken))],
    rate: Int = TargetsServer.Configuration.defaultRate, logger: Logger? = nil, patience: Duration = .seconds(5),
    listBytesMax: Int = ListBodies.bytesMax, opened: (TargetStore) throws -> Void = { _ in },
    _ body: (Int) async throws -> Value
) async throws -> Value {
    let store = try TargetStore(path: database, patience: patience, now: now)
    try opened(store)
    let (ports, port) = AsyncStream<Int>.makeStream()
    var configuration = TargetsServer.Configuration(host: "127.0.0.1", port: 0, tokens: tokens, rate: rate, names: names)
    configuration.listBytesMax = listBytesMax
    let server = TargetsServer(configuration: configuration, store: store, logger: logger) { port.yield($0) }
    // As the daemon ends it.
    var group = ServiceGroupConfiguration(
        services: [Running { try await server.run() }], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    group.maximumGracefulShutdownDuration = .milliseconds(1500)
    let services = ServiceGroup(configuration: group)
    let value = try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { port.finish() }
            try await services.run()
        }
        var iterator = ports.makeAsyncIterator()
        guard let listening = await iterator.next() else {
            try await group.next()
            throw SupportError("the server never listened")
        }
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await body(listening)) } catch { outcome = .failure(error) }
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
        return try outcome.get()
    }
    try store.close()
    return value
}

@discardableResult
func withServer<Value: Sendable>(
    now: @escaping @Sendable () -> Timestamp = TargetStore.wallClock, names: [String] = [],
    tokens: [AccessToken] = [AccessToken(name: "all", secret: Secret(registryToken))],
    rate: Int = TargetsServer.Configuration.defaultRate, logger: Logger? = nil,
    _ body: (Int) async throws -> Value
) async throws -> Value {
    let folder = try TemporaryFolder()
    return try await withServer(
        database: folder.file("targets.db"), now: now, names: names, tokens: tokens, rate: rate, logger: logger, body)
}

/// A request that the server takes, but for what is said otherwise: a body has its type, and the token is there.
func request(
    _ method: String, _ path: String, token: String? = registryToken, host: String = "127.0.0.1",
    type: String = "application/json",
    headers: [(String, String)] = [], body: String? = nil
) -> WireRequest {
    var headers = headers
    if let token { headers.append(("Authorization", token)) }
    if body != nil { headers.append(("Content-Type", type)) }
    return WireRequest(method, path, host: host, headers: headers, body: body)
}

/// The client of TargetsAPI over a real socket to the server.
func client(port: Int, clientID: String = documentedClient, token: String = registryToken) -> TargetsClient {
    TargetsClient(
        clientID: clientID, token: Secret(token), maxList: 1 << 28, timeout: .seconds(10)
    ) { request throws(TransportError) in
        let wire = WireRequest(
            request.method.rawValue, request.path, headers: request.headers.map { ($0.name, $0.value.revealed) },
            body: request.body.map { String(decoding: $0, as: UTF8.self) })
        do {
            let answer = try await exchange(port, wire)
            return APIResponse(
                status: answer.status, contentType: answer.headers["content-type"], tag: answer.headers["etag"], body: answer.body
            )
        } catch {
            throw TransportError(.connect, detail: "\(error)")
        }
    }
}

/// An answer of the API; every member of its records is text.
struct Envelope: Decodable, Equatable {
    var targets: [[String: String]]?
    var message: String

    init(_ text: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(text.utf8)) }
}

private struct Running: Service {
    let body: @Sendable () async throws -> Void
    func run() async throws { try await body() }
}
