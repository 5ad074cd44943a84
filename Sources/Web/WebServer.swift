// Web: what is served on `listen`: metrics, health, the landing page, and the administrator's requests.
// What lives here: the listener, its rules on Host and Origin, negotiation, compression, and the only HTML of the program.
// What doesn't: the bytes of a page of metrics (Exposition), what is healthy, how to reload or to sync (closures of Daemon's).
// Requests end here; nothing of a request goes further than a selection of series or "sync now".
// Everything a stranger can send has a bound: connections, headers, bodies, pages at once, and the time a page may take.

package import Exposition
package import Health
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// The daemon's HTTP listener.
package struct WebServer: Sendable {
    package struct Configuration: Sendable {
        package var host: String
        /// 0 lets the system choose.
        package var port: Int
        /// The machine's name and `listen_names`: the names by which pages may be asked for, besides IP literals and `localhost`.
        package var names: [String]
        /// Whether `POST /-/reload` and `POST /-/sync` are taken.
        package var admin: Bool
        /// Whether everybody who reaches the listener sees the pages, and not only this machine and who has a password.
        package var opensPages = false
        package var version: String
        /// The path of a Unix socket to listen on instead, for whoever may open it: its file is for this user and its group.
        package var unixSocket: String?
        /// How many connections there may be at once: others wait.
        package var connectionsMax = 512
        /// A socket that listens already, held by the service manager, to be used instead.
        package var inherited: CInt?
        /// nil behind a Unix socket.
        package var security: WebSecurity?

        package init(host: String, port: Int, names: [String] = [], admin: Bool = false, version: String) {
            self.host = host
            self.port = port
            self.names = names
            self.admin = admin
            self.version = version
        }
    }

    /// What the listener asks the daemon for.
    package struct Daemon: Sendable {
        /// A page of metrics; it is read chunk by chunk, off the network's threads.
        package var page: @Sendable (MetricsFormat, MetricsSelection) -> MetricsPage
        /// A sentence for each thing that isn't ready; none when all is.
        package var readiness: @Sendable () async -> [String]
        /// `accept` takes also what would leave nothing to watch.
        package var reload: @Sendable (_ accept: Bool) async -> ActionResult
        /// `accept` lets a held list through.
        package var sync: @Sendable (_ accept: Bool) async -> ActionResult
        package var pages: PageSource
        /// What somebody does by hand: a note, a maintenance window.
        package var byHand: @Sendable (HandRequest) async -> ActionResult
        /// What a form has to send back: a stranger's page can't know it.
        package var formToken: String

        package init(
            page: @escaping @Sendable (MetricsFormat, MetricsSelection) -> MetricsPage,
            readiness: @escaping @Sendable () async -> [String],
            reload: @escaping @Sendable (_ accept: Bool) async -> ActionResult,
            sync: @escaping @Sendable (_ accept: Bool) async -> ActionResult, pages: PageSource,
            byHand: @escaping @Sendable (HandRequest) async -> ActionResult, formToken: String
        ) {
            self.page = page
            self.readiness = readiness
            self.reload = reload
            self.sync = sync
            self.pages = pages
            (self.byHand, self.formToken) = (byHand, formToken)
        }
    }

    /// Where it listens in fact: a port that the system chose, or a socket that the service manager holds.
    package struct Bound: Hashable, Sendable, CustomStringConvertible {
        /// nil for a Unix socket.
        package let address: IPAddress?
        package let port: Int

        init(_ address: SocketAddress?) {
            self.address = address?.ipAddress.flatMap { IPAddress($0) }
            port = address?.port ?? 0
        }

        /// Whether only this machine reaches it.
        package var isLocal: Bool { address?.isLoopback ?? true }
        package var description: String {
            address.map { $0.isIPv4 ? "\($0):\(port)" : "[\($0)]:\(port)" } ?? "a Unix socket"
        }
    }

    /// What came of an administrator's request, with a text to say so.
    package enum ActionResult: Hashable, Sendable {
        case done(String)
        /// What was asked for makes no sense.
        case refused(String)
        case failed(String)
    }

    /// No request that means something here is near it.
    static let bodyLimit = 64 << 10
    static let idleTimeout = TimeAmount.seconds(120)

    private let configuration: Configuration
    private let daemon: Daemon
    private let onListening: @Sendable (Bound) async -> Void

    /// `onListening` is told as soon as connections are taken.
    package init(
        configuration: Configuration, daemon: Daemon, onListening: @escaping @Sendable (Bound) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.daemon = daemon
        self.onListening = onListening
    }

    /// Serves until the task is cancelled or, inside a service group, until graceful shutdown: then answers that were begun
    /// are finished.
    /// Throws when the address can't be listened on.
    package func run() async throws {
        let endpoint: Listener.Endpoint =
            configuration.unixSocket.map { .unixSocket($0) } ?? configuration.inherited.map { .inherited($0) }
            ?? .address(host: configuration.host, port: configuration.port)
        let site = Site(configuration: configuration, daemon: daemon)
        let listener = Listener(
            endpoint: endpoint, security: configuration.security, connectionsMax: configuration.connectionsMax,
            idleTimeout: Self.idleTimeout,
            respond: { request, channel in try await site.respond(to: request, over: channel) })
        try await listener.run(onListening: onListening)
    }
}
