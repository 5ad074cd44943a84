import Glibc
package import NIOCore
import NIOHTTP1

/// Ends a connection as ``ConnectionPersistence`` decides, and asks a client that waits for `100 Continue` to send the body:
/// ``askForBody(over:)``.
///
/// Hummingbird can't do this. It doesn't see the version of a request, and it knows one spelling of the option `close`.
package final class ConnectionClosePolicy: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = Any
    package typealias InboundOut = Any

    package init() {}

    /// A listener adds its handlers behind its codecs. The version of a request is known only right behind the decoder.
    package func handlerAdded(context: ChannelHandlerContext) {
        do {
            let pipeline = context.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(ConnectionPersistenceHandler(), position: .after(decoder))
        } catch {
            context.fireErrorCaught(error)
        }
    }
}

private final class ConnectionPersistenceHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private var persistence = ConnectionPersistence()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): read(head, data, context)
        case .body: if persistence.readBody() == .passOn { context.fireChannelRead(data) }
        case .end: if persistence.readEnd() == .passOn { context.fireChannelRead(data) }
        }
    }

    private func read(_ head: HTTPRequestHead, _ data: NIOAny, _ context: ChannelHandlerContext) {
        switch persistence.readHead(head) {
        case .passOn: context.fireChannelRead(data)
        case .passOnWithConnectionClose:
            var head = head
            head.headers.replaceOrAdd(name: "Connection", value: "close")
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .drop: break
        }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        switch event {
        case is UntilSent: context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))), promise: promise)
        case is AskForBody:
            switch persistence.askForBody() {
            case .sendContinue:
                let head = HTTPResponseHead(version: .http1_1, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(head)), promise: promise)
            case .doNothing: promise?.succeed()
            }
        default: context.triggerUserOutboundEvent(event, promise: promise)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): write(head, data, context, promise)
        case .body:
            switch persistence.writeBody() {
            case .passOn: context.write(data, promise: promise)
            case .fail: promise?.fail(ChannelError.outputClosed)
            }
        case .end:
            switch persistence.writeEnd() {
            case .passOn: context.write(data, promise: promise)
            case .passOnAsLast: writeLast(data, context, promise)
            case .fail: promise?.fail(ChannelError.outputClosed)
            }
        }
    }

    private func write(
        _ head: HTTPResponseHead, _ data: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?
    ) {
        var head = head
        switch persistence.writeHead(head) {
        case .passOn: return context.write(data, promise: promise)
        case .passOnWithConnectionClose: break
        case .passOnDelimitedByClose:
            head.version = .http1_0
            setCloseIsReset(true, of: context.channel)
        case .fail: return promise?.fail(ChannelError.outputClosed) ?? ()
        }
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    private func writeLast(_ data: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.cascade(to: promise)
        let channel = context.channel
        sent.futureResult.assumeIsolated().whenSuccess { [self] in closeAfterLastAnswer(channel) }
        context.write(data, promise: sent)
    }

    private func closeAfterLastAnswer(_ channel: any Channel) {
        let time: TimeAmount
        switch persistence.lastAnswerSent() {
        case .closeOutput(let lingering): time = lingering
        case .closeOutputWithoutReset(let lingering):
            setCloseIsReset(false, of: channel)
            time = lingering
        }
        channel.close(mode: .output, promise: nil)
        channel.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }
}

/// Whether the connection is reset when this process closes it, or when the system closes it because the process dies.
private func setCloseIsReset(_ isReset: Bool, of channel: any Channel) {
    _ = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: isReset ? 1 : 0, l_linger: 0))
}
