import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import ConnectionLimits

/// Keeps the input open when the output is closed. An embedded channel closes both at once.
private final class HalfOpen: ChannelOutboundHandler {
    typealias OutboundIn = NIOAny

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .output { promise?.succeed() } else { context.close(mode: mode, promise: promise) }
    }
}

/// The whole pipeline, on the time of an embedded event loop. `ConnectionPersistenceTests` has the rules one by one.
@Suite struct ConnectionClosePolicyTests {
    private let channel = EmbeddedChannel()
    private let get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    private let waiting = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"

    init() throws {
        try channel.pipeline.syncOperations.addHandler(HalfOpen())
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
        try channel.pipeline.syncOperations.addHandler(ConnectionClosePolicy())
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    private func receive(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

    /// The number of requests whose head was passed on since the last call.
    private func heads() throws -> Int {
        var count = 0
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) { if case .head = part { count += 1 } }
        return count
    }

    private func answer(_ headers: HTTPHeaders = [:]) throws {
        var headers = headers
        headers.add(name: "Content-Length", value: "0")
        try channel.writeOutbound(HTTPServerResponsePart.head(.init(version: .http1_1, status: .ok, headers: headers)))
        try channel.writeOutbound(HTTPServerResponsePart.end(nil))
    }

    private func sent() throws -> String {
        var text = ""
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
        return text
    }

    @Test func anAnswerThatClosesTheConnectionIsTheLastAndTheConnectionEndsSoonAfterIt() throws {
        try receive(get)
        #expect(try heads() == 1)
        try answer(["Connection": "close"])
        #expect(try sent().contains("Connection: close"))
        try receive(get)
        #expect(try heads() == 0)
        channel.embeddedEventLoop.advanceTime(by: ConnectionPersistence.lingering - .milliseconds(1))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!channel.isActive)
    }

    /// Both requests were read before the answer to the first was known.
    @Test func requestsThatCameTogetherWithTheLastHaveNoAnswer() throws {
        try receive(get + get)
        #expect(try heads() == 2)
        try answer(["Connection": "close"])
        _ = try sent()
        #expect(throws: ChannelError.outputClosed) { try answer() }
        #expect(try sent() == "")
    }

    @Test func anAnswerThatDoesNotCloseTheConnectionIsFollowedByOthers() throws {
        for _ in 0..<3 {
            try receive(get)
            #expect(try heads() == 1)
            try answer()
            #expect(try sent() == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        channel.embeddedEventLoop.advanceTime(by: .seconds(3600))
        #expect(channel.isActive)
    }

    @Test func theBodyIsAskedForOnce() throws {
        try receive(waiting)
        try askForBody()
        try askForBody()
        #expect(try sent() == "HTTP/1.1 100 Continue\r\n\r\n")
        try receive("ab")
        try answer()
        #expect(try !sent().contains("close"))
        // The next request awaits no `100 Continue`.
        try receive(get)
        try askForBody()
        #expect(try sent() == "")
    }

    @Test func aBodyThatComesUnaskedIsNotAskedFor() throws {
        try receive(waiting + "a")
        try askForBody()
        #expect(try sent() == "")
    }

    @Test func aClientThatWasNotAskedForTheBodyHasTheLastAnswer() throws {
        try receive(waiting)
        try answer()
        #expect(try sent().contains("Connection: close"))
        // The body and what follows are dropped.
        try receive("ab" + get)
        #expect(try heads() == 1)
        channel.embeddedEventLoop.advanceTime(by: ConnectionPersistence.lingering)
        #expect(!channel.isActive)
    }

    private func askForBody() throws { try channel.triggerUserOutboundEvent(AskForBody()).wait() }
}
