// TargetsServer: the embedded Targets API, the other side of the contract in TargetsAPI.
// What lives here: its listener, what it answers, who may ask, and its own SQLite database of targets.
// What doesn't: the documents and routes (TargetsAPI), judging whether a URL can be probed (Probing), configuration (Settings).
// It answers at `/api/clients/{clientId}/targets[/{targetId}]`; Daemon or the command `targets-server` starts and stops it.
// The terms are defined in docs/glossary.md.

internal import ConnectionLimits
internal import Health
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import TargetsAPI

/// The embedded Targets API on a listener of its own.
package struct TargetsServer: Sendable {
    package struct Configuration: Sendable {
        /// An IP address or a host name.
        package var host: String
        /// 0 lets the system choose.
        package var port: Int
        package var tokens: [AccessToken]
        /// Requests a second of each token; more are answered 429.
        package var rate: Int
        /// By which the server may be asked for, besides IP literals and `localhost`: the machine's name and `listen_names`.
        package var names: [String]
        /// How many connections there may be at once. Connections that were closed for others count until they have closed.
        package var connections = connectionsMax + endingMax(of: connectionsMax)
        /// How many bytes of earlier states of lists may be in memory while slow clients read them.
        var listBytesMax = ListBodies.bytesMax

        package static let defaultRate = 2000

        package init(host: String, port: Int, tokens: [AccessToken], rate: Int = defaultRate, names: [String] = []) {
            self.host = host
            self.port = port
            self.tokens = tokens
            self.rate = rate
            self.names = names
        }
    }

    package static let connectionsMax = 256
    /// How many more connections there may be, which were closed for others and have not closed yet.
    package static func endingMax(of connections: Int) -> Int { max(1, connections / 4) }
    package static let connectionIdleSecondsMax = 60

    private let configuration: Configuration
    private let store: TargetStore
    private let logger: Logger
    private let onListening: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - store: stays the caller's, to be closed after the server has ended.
    ///   - logger: silent when left out. No token, path or query is ever logged.
    ///   - onListening: called once with the port, as soon as connections are taken.
    package init(
        configuration: Configuration, store: TargetStore, logger: Logger? = nil,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.store = store
        self.logger = logger ?? Logger(label: "targets-server") { _ in SwiftLogNoOpLogHandler() }
        self.onListening = onListening
    }

    /// Serves until a graceful shutdown or cancellation, then lets running requests end.
    ///
    /// - Throws: when the address can't be listened on.
    package func run() async throws {
        let answers = answers
        let slots = ConnectionSlots(total: configuration.connections - max(1, configuration.connections / 5))
        let accepted = AcceptedConnections()
        let responder = CallbackResponder<ConnectionContext> { request, context in
            await answers.respond(to: request, over: ClientConnection(channel: context.channel, slots: slots))
        }
        // The listener logs nothing. If it logged each broken connection, strangers could fill the log.
        let silent = Logger(label: "targets-server") { _ in SwiftLogNoOpLogHandler() }
        let onListening = onListening
        let application = Application(
            responder: responder,
            server: HTTPServerBuilder {
                SlottedChannel(http: HTTP1Channel(responder: $0, configuration: Self.http), slots: slots, accepted: accepted)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                availableConnectionsDelegate: MaximumAvailableConnections(configuration.connections, logger: silent)),
            onServerRunning: { channel in
                if let port = channel.localAddress?.port { await onListening(port) }
            },
            logger: silent)
        defer { accepted.end() }
        try await application.run()
    }

    private static var http: HTTP1Channel.Configuration {
        let idle = TimeAmount.seconds(Int64(connectionIdleSecondsMax))
        return .init(additionalChannelHandlers: [RequestTimer(idle: idle), ConnectionClosePolicy()], idleTimeout: idle)
    }

    private var answers: Answers {
        let began = ContinuousClock.now
        return Answers(
            store: store,
            access: Access(configuration.tokens, rate: configuration.rate, now: { began.duration(to: .now) }),
            bodies: ListBodies(bytesMax: configuration.listBytesMax), rules: RequestRules(names: configuration.names),
            troubles: TroubleLog(logger))
    }
}

/// HTTP/1.1 for each connection that gets a slot.
private struct SlottedChannel: ServerChildChannel {
    let http: HTTP1Channel
    let slots: ConnectionSlots
    let accepted: AcceptedConnections

    private struct NoSlot: Error {}

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        let hasSlot = slots.enter(channel)
        return accepted.hold(
            hasSlot ? http.setup(channel: channel, logger: logger) : channel.eventLoop.makeFailedFuture(NoSlot()), of: channel)
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        accepted.release(value.channel)
        await http.handle(value: value, logger: logger)
    }
}

private struct ConnectionContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

/// The connection over which a request came.
struct ClientConnection: Sendable {
    let channel: any Channel
    let slots: ConnectionSlots

    func trust() { slots.trust(channel) }
    func askForBody() async { await ConnectionLimits.askForBody(over: channel) }
}
