import ConnectionLimits
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOExtras
import NIOHTTPTypes
import NIOPosix
import NIOSSL
import ServiceLifecycle

/// Listens on an address, on a Unix socket, or on a socket that the service manager holds, and serves the connections by Hummingbird's
/// HTTP/1.1.
///
/// Hummingbird's own server can't listen on a socket of the service manager, and it keeps the TLS context that it started with. Here each
/// new connection gets the TLS context of the moment. The rest is as in Hummingbird's server.
struct Listener: Sendable {
    enum Endpoint: Sendable {
        case address(host: String, port: Int)
        case unixSocket(String)
        /// A socket that listens already. The listener owns the socket from now on.
        case inherited(CInt)
    }

    typealias Responder = @Sendable (Request, any Channel) async throws -> Response

    /// The headers that have a meaning here are much shorter.
    private static let headersMax = 32 << 10
    private static let backlog: Int32 = 256
    static let connectionsPerPeerMax = 64

    let endpoint: Endpoint
    let security: WebSecurity?
    let connectionsMax: Int
    private let http: HTTP1Channel
    private let peers: PeerCounts
    private let accepted = AcceptedConnections()
    /// The listener logs nothing. If it logged each broken connection, strangers could fill the log.
    private let silent = Logger(label: "web") { _ in SwiftLogNoOpLogHandler() }

    init(
        endpoint: Endpoint, security: WebSecurity?, connectionsMax: Int, connectionsPerPeerMax: Int = Self.connectionsPerPeerMax,
        idleTimeout: TimeAmount,
        respond: @escaping Responder
    ) {
        peers = PeerCounts(limit: connectionsPerPeerMax)
        (self.endpoint, self.security, self.connectionsMax) = (endpoint, security, connectionsMax)
        var configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestTimer(idle: idleTimeout), ConnectionClosePolicy()], idleTimeout: idleTimeout)
        configuration.httpDecoder = .init(
            maxHeaderFieldSize: Self.headersMax, maxHeaderListSize: Self.headersMax, maxHeaderFieldCount: 100)
        http = HTTP1Channel(
            responder: { request, writer, channel in
                let response = try await respond(request, channel)
                try await writer.write(response: response.head, body: response.body)
            }, configuration: configuration)
    }

    /// Serves until the task is cancelled or its service group shuts down. At a shutdown, answers that have begun are finished.
    ///
    /// - Throws: when the address can't be listened on.
    func run(onListening: @Sendable (WebServer.Bound) async -> Void) async throws {
        let quiescing = ServerQuiescingHelper(group: MultiThreadedEventLoopGroup.singleton)
        let server = try await bind(quiescing)
        defer { accepted.end() }
        await withGracefulShutdownHandler {
            await onListening(WebServer.Bound(server.channel.localAddress))
            await withDiscardingTaskGroup { group in
                // An error of the listener ends the listener. An error of a connection ends only that connection.
                try? await server.executeThenClose { connections in
                    for try await connection in connections {
                        group.addTask {
                            accepted.release(connection.channel)
                            await http.handle(value: connection, logger: silent)
                        }
                    }
                }
            }
        } onGracefulShutdown: {
            quiescing.initiateShutdown(promise: nil)
        }
    }

    private func bind(_ quiescing: ServerQuiescingHelper) async throws -> NIOAsyncChannel<HTTP1Channel.Value, Never> {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(ChannelOptions.backlog, value: Self.backlog)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        AvailableConnectionsChannelHandler(delegate: MaximumAvailableConnections(connectionsMax, logger: silent)),
                        quiescing.makeServerChannelHandler(channel: channel),
                    ])
                }
            }
        switch endpoint {
        case .address(let host, let port):
            return try await bootstrap.bind(host: host, port: port, childChannelInitializer: accept)
        case .unixSocket(let path):
            return try await bootstrap.bind(
                unixDomainSocketPath: path, cleanupExistingSocketFile: true, childChannelInitializer: accept)
        case .inherited(let descriptor): return try await bootstrap.bind(descriptor, childChannelInitializer: accept)
        }
    }

    private struct TooManyOfOnePeer: Error {}

    @Sendable func accept(_ channel: any Channel) -> EventLoopFuture<HTTP1Channel.Value> {
        accepted.hold(setUp(channel), of: channel)
    }

    private func setUp(_ channel: any Channel) -> EventLoopFuture<HTTP1Channel.Value> {
        guard let share = peers.enter(channel) else { return channel.eventLoop.makeFailedFuture(TooManyOfOnePeer()) }
        channel.closeFuture.whenComplete { _ in peers.leave(share) }
        return channel.eventLoop.makeCompletedFuture {
            if let context = security?.context {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
            }
        }.flatMap { http.setup(channel: channel, logger: silent) }
    }
}
