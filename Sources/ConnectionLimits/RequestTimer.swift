import HTTPTypes
package import NIOCore
package import NIOHTTPTypes

/// Closes a connection whose client takes too long. ``RequestDeadline`` decides how long is too long.
package final class RequestTimer: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPRequestPart
    package typealias InboundOut = HTTPRequestPart
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPResponsePart

    private var deadline: RequestDeadline
    private var timer: Scheduled<Void>?

    /// - Parameter idle: from the end of an answer to the head of the next request.
    package init(idle: TimeAmount) { deadline = RequestDeadline(idleTimeMax: idle) }

    package func handlerAdded(context: ChannelHandlerContext) { perform(deadline.connectionAccepted(), on: context.channel) }
    package func handlerRemoved(context: ChannelHandlerContext) { perform(deadline.connectionClosed(), on: context.channel) }

    package func channelInactive(context: ChannelHandlerContext) {
        perform(deadline.connectionClosed(), on: context.channel)
        context.fireChannelInactive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: perform(deadline.requestBegan(), on: context.channel)
        case .body: break
        case .end: perform(deadline.requestEnded(), on: context.channel)
        }
        context.fireChannelRead(data)
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { perform(deadline.answerEnded(), on: context.channel) }
        context.write(data, promise: promise)
    }

    private func perform(_ action: RequestDeadline.Action, on channel: any Channel) {
        switch action {
        case .startTimer(let time):
            timer?.cancel()
            timer = channel.eventLoop.assumeIsolated().scheduleTask(in: time) { [self] in
                perform(deadline.timerFired(), on: channel)
            }
        case .cancelTimer: timer?.cancel()
        case .closeConnection: channel.close(promise: nil)
        case .doNothing: break
        }
    }
}
