import Glibc
package import NIOCore
import NIOHTTP1

/// Ends a connection after an answer that says so, and where its client waits for that: by HTTP/1.0, by the option `close` in any spelling
/// (RFC 9112, section 9.3), and after a request to upgrade, behind which NIO reads no other. By the time that Hummingbird sees a request its
/// version is lost, and it knows one spelling. Also asks a client that waits for it to send the body: ``askForBody(over:)``.
package final class ConnectionClosePolicy: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = Any
    package typealias InboundOut = Any

    /// From the last answer to the end of the connection, for the client to read the one and to notice the other: what it still sends is
    /// read and thrown away, because to close over it would be a reset that may overtake the answer (RFC 9112, section 9.6).
    package static let lingers = TimeAmount.seconds(2)

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

/// Says that the body of the request which is being answered will be read: a client that sent `Expect: 100-continue` waits for that (RFC 9110,
/// section 10.1.1). Where nothing is said before the answer, the answer is the connection's last, and the body isn't read.
package func askForBody(over channel: any Channel) async {
    // A channel that has closed meanwhile says so to whoever reads the body.
    do { try await channel.triggerUserOutboundEvent(AskForBody()) } catch {}
}

struct AskForBody: Sendable {}

/// Returns when all that was written of the answer so far has been taken by the system. A writer of an answer is told too late that a
/// connection takes no more: what it has written by then stays in memory for as long as the client doesn't read.
///
/// - Throws: when the connection ends before that. A task that is cancelled ends it.
package func untilSent(over channel: any Channel) async throws {
    try await withTaskCancellationHandler {
        try await channel.triggerUserOutboundEvent(UntilSent())
    } onCancel: {
        channel.close(promise: nil)
    }
}

private struct UntilSent: Sendable {}

private final class BehindTheDecoder: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private struct Asked {
        var knowsChunks: Bool
        var isLast: Bool
        /// Its body comes when it is asked for.
        var waits: Bool
    }

    /// What has no answer yet; requests may come before the answers to those before them.
    private var asked: [Asked] = []
    private var isLast = false
    /// The last request has come whole, or its answer has gone.
    private var isOver = false
    /// The answer that is being sent ends where the connection does.
    private var hasNoOtherEnd = false
    /// The connection ends after the answer that is being sent.
    private var isLastAnswer = false
    private var hasEnded = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What follows has no answer, and would have a shutdown wait for one.
        guard !isOver else { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            isLast = isLastAnswer || head.version != .http1_1 || !head.isKeepAlive || head.headers.contains(name: "Upgrade")
            asked.append(Asked(knowsChunks: head.version == .http1_1, isLast: isLast, waits: head.waitsToBeAsked))
            if isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body:
            // It comes unasked.
            if !asked.isEmpty { asked[asked.count - 1].waits = false }
            context.fireChannelRead(data)
        case .end:
            if !asked.isEmpty { asked[asked.count - 1].waits = false }
            isOver = isLast
            context.fireChannelRead(data)
        }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        if event is UntilSent {
            return context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))), promise: promise)
        }
        guard event is AskForBody else { return context.triggerUserOutboundEvent(event, promise: promise) }
        // It is the only one that has no answer: no other would come before its body.
        guard asked.count == 1, asked[0].waits else { return promise?.succeed() ?? () }
        asked[0].waits = false
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: promise)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // To requests that came together with the last.
        guard !hasEnded else { return promise?.fail(ChannelError.outputClosed) ?? () }
        switch unwrapOutboundIn(data) {
        case .head(let head): context.write(wrapOutboundOut(.head(answer(head, context))), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            if !asked.isEmpty { asked.removeFirst() }
            guard isLastAnswer else { return context.write(data, promise: promise) }
            (hasEnded, isOver) = (true, true)
            let sent = promise ?? context.eventLoop.makePromise()
            let (channel, hasNoOtherEnd) = (context.channel, hasNoOtherEnd)
            sent.futureResult.whenSuccess {
                if hasNoOtherEnd { resetsWhenClosed(channel, false) }
                channel.close(mode: .output, promise: nil)
                channel.eventLoop.scheduleTask(in: ConnectionClosePolicy.lingers) { channel.close(promise: nil) }
            }
            context.write(data, promise: sent)
        }
    }

    private func answer(_ head: HTTPResponseHead, _ context: ChannelHandlerContext) -> HTTPResponseHead {
        let asked = asked.first
        isLastAnswer = asked.map { $0.isLast || $0.waits } ?? false || head.endsConnection
        guard isLastAnswer else { return head }
        isLast = true
        var head = head
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        guard let asked, !asked.knowsChunks, !head.headers.contains(name: "Content-Length") else { return head }
        // The encoder sends no chunks by that version (RFC 9112, section 6.1).
        head.version = .http1_0
        hasNoOtherEnd = true
        resetsWhenClosed(context.channel, true)
        return head
    }
}

extension HTTPRequestHead {
    fileprivate var waitsToBeAsked: Bool {
        version == .http1_1 && headers[canonicalForm: "Expect"].contains { $0.lowercased() == "100-continue" }
    }
}

extension HTTPResponseHead {
    fileprivate var endsConnection: Bool { headers[canonicalForm: "Connection"].contains { $0.lowercased() == "close" } }
}

/// Whether a close, by us or by the system when the process dies, is a reset: so that half an answer isn't taken for the whole.
private func resetsWhenClosed(_ channel: any Channel, _ resets: Bool) {
    _ = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: resets ? 1 : 0, l_linger: 0))
}
