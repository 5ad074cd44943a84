import Health
import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// Gives each connection so long to ask and no longer, whatever it sends meanwhile: a byte now and then keeps no place.
final class RequestTimer: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// For TLS, the head and the body of the first request, and for the body of each other.
    static let requestTakes = TimeAmount.seconds(10)

    /// For the answer, until its last byte is on its way: longer than a page, a sync or a reload may take.
    static let answerTakes = TimeAmount.seconds(120)

    private let idle: TimeAmount
    private var timer: Scheduled<Void>?

    /// - Parameter idle: from the end of an answer to the head of the next request.
    init(idle: TimeAmount) { self.idle = idle }

    func handlerAdded(context: ChannelHandlerContext) { start(Self.requestTakes, context) }
    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: start(Self.requestTakes, context)
        case .body: break
        case .end: start(Self.answerTakes, context)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { start(idle, context) }
        context.write(data, promise: promise)
    }

    private func start(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        timer?.cancel()
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }
}

/// How much each peer has of what there is a bounded number of: one that takes all it can leaves room for the others. This machine itself may
/// have all there is.
final class PeerCounts: Sendable {
    private let limit: Int
    private let counts = Mutex<[[UInt8]: Int]>([:])

    init(limit: Int) { self.limit = limit }

    /// A part of what a peer may have, until it is given back. The peer is kept by it: a channel that has closed has no address.
    struct Share: Sendable {
        fileprivate let peer: [UInt8]?
    }

    /// nil when the peer has all it may have. Who was let in has to ``leave(_:)``.
    func enter(_ channel: any Channel) -> Share? {
        guard let peer = Self.peer(channel) else { return Share(peer: nil) }
        return counts.withLock { counts in
            let count = counts[peer] ?? 0
            guard count < limit else { return nil }
            counts[peer] = count + 1
            return Share(peer: peer)
        }
    }

    func leave(_ share: Share) {
        guard let peer = share.peer else { return }
        counts.withLock { counts in
            let count = counts[peer] ?? 1
            counts[peer] = count > 1 ? count - 1 : nil
        }
    }

    /// Of IPv6 the network, which is what one peer has (RFC 6177); nil for this machine itself.
    private static func peer(_ channel: any Channel) -> [UInt8]? {
        guard let text = channel.remoteAddress?.ipAddress, let written = IPAddress(text), !written.isLoopback else { return nil }
        let address = written.unwrapped
        return Array(address.bytes.prefix(address.isIPv4 ? 4 : 8))
    }
}
