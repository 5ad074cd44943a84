import Exposition
import Health
import Logging
import Pages
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Web

/// A listener on loopback and a port of its own, for the time of one closure.
func withServer(
    admin: Bool = false, missing: [String] = [], targets: TargetSeries = TargetSeries(),
    action: WebServer.ActionResult = .done("it is done"), asked: AskedFor = AskedFor(), security: WebSecurity? = nil,
    pages: PageSource = .sample(),
    _ body: @Sendable @escaping (Int) async throws -> Void
) async throws {
    let daemon = DaemonMetrics(build: ["version": "0.1.0"], loadedAt: Timestamp(milliseconds: 0))
    let (ports, listening) = AsyncStream<Int>.makeStream()
    var configuration = WebServer.Configuration(host: "127.0.0.1", port: 0, names: ["monitor"], admin: admin, version: "0.1.0<&")
    configuration.security = security
    let server = WebServer(
        configuration: configuration,
        daemon: .init(
            page: { MetricsPage(format: $0, selection: $1, targets: targets, daemon: daemon) },
            readiness: { missing },
            reload: {
                asked.note("reload \($0)")
                return action
            },
            sync: {
                asked.note("sync \($0)")
                return action
            }, pages: pages,
            byHand: {
                asked.note("\($0)")
                return action
            }, formToken: "token-of-this-life"),
        onListening: { listening.yield($0.port) })
    // As the daemon ends it.
    var group = ServiceGroupConfiguration(
        services: [Running { try await server.run() }], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    group.maximumGracefulShutdownDuration = .milliseconds(1500)
    let services = ServiceGroup(configuration: group)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await services.run() }
        let port = await ports.first { _ in true }
        let outcome: Result<Void, any Error>
        do {
            if let port { try await body(port) }
            outcome = .success(())
        } catch { outcome = .failure(error) }
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
        try outcome.get()
    }
}

struct Running: Service {
    let body: @Sendable () async throws -> Void
    func run() async throws { try await body() }
}

/// What the listener asked the daemon for.
final class AskedFor: Sendable {
    private let notes = Mutex<[String]>([])
    var all: [String] { notes.withLock { $0 } }
    func note(_ text: String) { notes.withLock { $0.append(text) } }
}

/// A request with the usual headers; the connection ends with the answer.
func ask(
    _ port: Int, _ method: String, _ path: String, host: String? = "127.0.0.1", _ headers: [String: String] = [:]
) async throws -> WireAnswer {
    try await exchange(port, WireRequest(method, path, host: host, headers: headers.map { ($0.key, $0.value) }))
}

/// Checks an answer's status.
func expect(_ status: Int, of answer: WireAnswer, at location: SourceLocation = #_sourceLocation) {
    #expect(answer.status == status, sourceLocation: location)
}

extension PageSource {
    /// A daemon without targets.
    ///
    /// - Parameters:
    ///   - version: what the pages' version is.
    ///   - made: told whenever a page is made.
    static func sample(
        version: @escaping @Sendable () -> Int = { 1 }, made: @escaping @Sendable () async -> Void = {}
    ) -> PageSource {
        let assets = Assets()
        return PageSource(
            version: { version() },
            document: { address, request in
                await made()
                guard address == .overview || address == .wall else { return .absent }
                let page = OverviewPage(TargetIndex(), CertificateTable())
                let frame = PageFrame(
                    section: .now, title: page.title, worst: page.worst, banners: [], vantage: "here", version: "0.1.0<&",
                    asOf: Timestamp(milliseconds: 0), path: request.path, query: request.query,
                    refreshSeconds: request.refreshSeconds)
                do {
                    return .made(try page.document(try PageRenderer(assets: assets), frame, isTwin: request.isTwin))
                } catch { return .failed("\(error)") }
            },
            notice: { title, sentence in
                let frame = PageFrame(
                    section: nil, title: title, worst: .unknown, banners: [], vantage: "here", version: "0",
                    asOf: Timestamp(milliseconds: 0),
                    path: "/", query: "", refreshSeconds: nil)
                return try? NoticePage(title: title, sentence: sentence).document(PageRenderer(assets: assets), frame)
            }, asset: { assets.file(at: $0) })
    }
}
