package import NIOCore
import NIOHTTP1

/// Ends a connection after the answer where its client waits for that: whoever speaks HTTP/1.0, and whoever sends the option `close` in any
/// spelling (RFC 9112, section 9.3). The answer says so, and has no chunks by HTTP/1.0. By the time that Hummingbird sees a request its version is
/// lost, and it knows one spelling.
package final class Persistence: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = Any
    package typealias InboundOut = Any

    package init() {}

    /// Whoever listens adds what it has behind its codecs; the version is known right behind the decoder.
    package func handlerAdded(context: ChannelHandlerContext) {
        do {
            let pipeline = context.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(Reader(), position: .after(decoder))
        } catch {
            context.fireErrorCaught(error)
        }
    }

    private final class Reader: ChannelDuplexHandler, RemovableChannelHandler {
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

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
            let isLast = head.version != .http1_1 || !head.isKeepAlive
            asked.append(Asked(knowsChunks: head.version != .http1_0, isLast: isLast))
            if isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            context.fireChannelRead(wrapInboundOut(.head(head)))
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            switch unwrapOutboundIn(data) {
            case .head(var head):
                guard let asked = asked.first, asked.isLast else { break }
                head.headers.replaceOrAdd(name: "Connection", value: "close")
                // The encoder sends no chunks by that version (RFC 9112, section 6.1).
                if !asked.knowsChunks, !head.headers.contains(name: "Content-Length") { head.version = .http1_0 }
                return context.write(wrapOutboundOut(.head(head)), promise: promise)
            case .end where !asked.isEmpty: asked.removeFirst()
            default: break
            }
            context.write(data, promise: promise)
        }
    }
}
