// SampleTargets: something to watch, for whoever has no targets yet. `rangefinder demo` probes it, and so do tests.
// What lives here: loopback servers that are healthy, slow, flaky, failing, hanging or badly certified, and the list of them.
// What doesn't: the Targets API that lists them (TargetsServer) and the daemon that watches them (Daemon).
// Everything listens on 127.0.0.1 on ports that the system gives; nothing outside is touched.

import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// One server to watch, as it would stand in the Targets API.
package struct SampleTarget: Hashable, Sendable {
    package var name: String
    package var baseURL: String
    package var testPath: String
    package var region: String
}

package struct SampleTargets: Sendable {
    /// The authority that signed the good certificates, as PEM: hand it to the probes as `ca_file`.
    package let authorityPEM: String
    private let certificates: SampleCertificates

    package init() throws {
        certificates = try SampleCertificates()
        authorityPEM = certificates.authorityPEM
    }

    /// Serves until the task is cancelled or its service group shuts down. `onListening` gets the list once every port is known.
    package func run(onListening: @escaping @Sendable ([SampleTarget]) async -> Void) async throws {
        let ports = Mutex<[Listener: Int]>([:])
        let listening: @Sendable (Listener, Int) async -> Void = { listener, port in
            let all = ports.withLock { ports -> [Listener: Int]? in
                ports[listener] = port
                return ports.count == Listener.allCases.count ? ports : nil
            }
            if let all { await onListening(Self.list(ports: all)) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for listener in Listener.allCases {
                let application = try application(listener) { port in await listening(listener, port) }
                group.addTask { try await application.run() }
            }
            try await group.waitForAll()
        }
    }

    enum Listener: CaseIterable { case plain, secure, expired, selfSigned }

    private func application(
        _ listener: Listener, onListening: @escaping @Sendable (Int) async -> Void
    ) throws -> some ApplicationProtocol {
        let server: HTTPServerBuilder =
            switch listener {
            case .plain: .http1()
            case .secure: try .tls(tlsConfiguration: certificates.valid)
            case .expired: try .tls(tlsConfiguration: certificates.expired)
            case .selfSigned: try .tls(tlsConfiguration: certificates.selfSigned)
            }
        return Application(
            router: Self.router(), server: server,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0), serverName: "sample"),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) },
            logger: Logger(label: "sample-targets", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    private static func list(ports: [Listener: Int]) -> [SampleTarget] {
        func sample(_ name: String, _ listener: Listener, _ path: String, _ region: String) -> SampleTarget {
            let scheme = listener == .plain ? "http" : "https"
            return SampleTarget(
                name: name, baseURL: "\(scheme)://127.0.0.1:\(ports[listener] ?? 0)", testPath: path, region: region)
        }
        return [
            sample("Checkout API", .plain, "/healthy", "eu-west-1"),
            sample("Search API", .secure, "/healthy", "eu-west-1"),
            sample("Catalogue (slow)", .plain, "/slow", "eu-west-1"),
            sample("Payments (flaky)", .plain, "/flaky", "us-east-1"),
            sample("Sessions (flaky)", .plain, "/flaky-too", "us-east-1"),
            sample("Reports (hangs)", .plain, "/hanging", "us-east-1"),
            sample("Legacy ERP (failing)", .plain, "/failing", "us-east-1"),
            sample("Admin (wants credentials)", .plain, "/locked", "ap-south-1"),
            sample("Ledger (certificate expired)", .expired, "/healthy", "ap-south-1"),
            sample("Partner (self-signed)", .selfSigned, "/healthy", "ap-south-1"),
        ]
    }
}
