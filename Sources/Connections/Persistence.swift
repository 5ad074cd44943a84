import Glibc
package import NIOCore
import NIOHTTP1

/// Ends a connection after the answer where its client waits for that: by HTTP/1.0, by the option `close` in any spelling (RFC 9112, section
/// 9.3), and after a request to upgrade, behind which NIO reads no other. By the time that Hummingbird sees a request its version is lost, and
/// it knows one spelling.
package final class Persistence: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = Any
    package typealias InboundOut = Any

    package init() {}

    /// Whoever listens adds what it has behind its codecs; the version is known right behind the decoder.
    package func handlerAdded(context: ChannelHandlerContext) {
        do {
            let pipeline = context.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(BehindTheDecoder(), position: .after(decoder))
        } catch {
            context.fireErrorCaught(error)
        }
    }
}

private final class BehindTheDecoder: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private struct Asked {
        var knowsChunks: Bool
        var isLast: Bool
    }

    /// What has no answer yet; requests may come before the answers to those before them.
    private var asked: [Asked] = []
    private var isLast = false
    /// The last request has come whole.
    private var isOver = false
    /// The answer that is being sent ends where the connection does.
    private var hasNoOtherEnd = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What follows has no answer, and would have a shutdown wait for one.
        guard !isOver else { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            isLast = head.version != .http1_1 || !head.isKeepAlive || head.headers.contains(name: "Upgrade")
            asked.append(Asked(knowsChunks: head.version == .http1_1, isLast: isLast))
            if isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body: context.fireChannelRead(data)
        case .end:
            isOver = isLast
            context.fireChannelRead(data)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): context.write(wrapOutboundOut(.head(answer(head, context))), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            if !asked.isEmpty { asked.removeFirst() }
            guard hasNoOtherEnd else { return context.write(data, promise: promise) }
            let sent = promise ?? context.eventLoop.makePromise()
            let channel = context.channel
            sent.futureResult.whenSuccess { resetsWhenClosed(channel, false) }
            context.write(data, promise: sent)
        }
    }

    private func answer(_ head: HTTPResponseHead, _ context: ChannelHandlerContext) -> HTTPResponseHead {
        guard let asked = asked.first, asked.isLast else { return head }
        var head = head
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        guard !asked.knowsChunks, !head.headers.contains(name: "Content-Length") else { return head }
        // The encoder sends no chunks by that version (RFC 9112, section 6.1).
        head.version = .http1_0
        hasNoOtherEnd = true
        resetsWhenClosed(context.channel, true)
        return head
    }
}

/// Whether a close, by us or by the system when the process dies, is a reset: so that half an answer isn't taken for the whole.
private func resetsWhenClosed(_ channel: any Channel, _ resets: Bool) {
    _ = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: resets ? 1 : 0, l_linger: 0))
}
