// Connections: what a listener grants each who connects, so that a slow or rude one costs nobody else anything.
// What lives here: the time of a request and of its answer, when a connection ends, and how much one peer may have.
// What doesn't: sockets, routes, who may ask (Web and TargetsServer, whose listeners both keep these bounds).
// The terms are defined in docs/glossary.md.

import HTTPTypes
import Health
package import NIOCore
package import NIOHTTPTypes
import Synchronization

/// Gives each connection so long to ask and no longer, whatever it sends meanwhile: a byte now and then keeps no place.
package final class RequestTimer: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPRequestPart
    package typealias InboundOut = HTTPRequestPart
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPResponsePart

    /// For TLS, the head and the body of the first request, and for the body of each other.
    package static let requestTakes = TimeAmount.seconds(10)

    /// For the answer, until its last byte is on its way: longer than a page, a sync or a reload may take.
    package static let answerTakes = TimeAmount.seconds(120)

    private let idle: TimeAmount
    private var timer: Scheduled<Void>?
    /// A request has begun and not ended.
    private var isAsking = false

    /// - Parameter idle: from the end of an answer to the head of the next request.
    package init(idle: TimeAmount) { self.idle = idle }

    package func handlerAdded(context: ChannelHandlerContext) { start(Self.requestTakes, context) }
    package func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    package func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            isAsking = true
            start(Self.requestTakes, context)
        case .body: break
        case .end:
            isAsking = false
            start(Self.answerTakes, context)
        }
        context.fireChannelRead(data)
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // Who was refused before all was said has no longer for the rest.
        if case .end = unwrapOutboundIn(data), !isAsking { start(idle, context) }
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
package final class PeerCounts: Sendable {
    private let limit: Int
    private let counts = Mutex<[[UInt8]: Int]>([:])

    package init(limit: Int) { self.limit = limit }

    /// A part of what a peer may have, until it is given back. The peer is kept by it: a channel that has closed has no address.
    package struct Share: Sendable {
        fileprivate let peer: [UInt8]?
    }

    /// nil when the peer has all it may have. Who was let in has to ``leave(_:)``.
    package func enter(_ channel: any Channel) -> Share? {
        guard let peer = Self.peer(channel) else { return Share(peer: nil) }
        return counts.withLock { counts in
            let count = counts[peer] ?? 0
            guard count < limit else { return nil }
            counts[peer] = count + 1
            return Share(peer: peer)
        }
    }

    package func leave(_ share: Share) {
        guard let peer = share.peer else { return }
        counts.withLock { counts in
            let count = counts[peer] ?? 1
            counts[peer] = count > 1 ? count - 1 : nil
        }
    }

    /// nil for this machine itself.
    private static func peer(_ channel: any Channel) -> [UInt8]? {
        guard let text = channel.remoteAddress?.ipAddress, let written = IPAddress(text), !written.isLoopback else { return nil }
        return network(of: written)
    }

    /// Of IPv6 the network, which is what one peer has (RFC 6177).
    static func network(of written: IPAddress) -> [UInt8] {
        let address = written.unwrapped
        return Array(address.bytes.prefix(address.isIPv4 ? 4 : 8))
    }
}
