import ConnectionLimits
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@Suite struct RequestTimerTests {
    fileprivate let channel = EmbeddedChannel(handler: RequestTimer(idle: .seconds(120)))
    fileprivate let head = HTTPRequestPart.head(HTTPRequest(method: .get, scheme: "http", authority: "h", path: "/"))

    init() throws { try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait() }

    fileprivate func pass(_ seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }

    @Test func aClientThatSendsNothingIsCutOff() {
        pass(9)
        #expect(channel.isActive)
        pass(2)
        #expect(!channel.isActive)
    }

    @Test func aClientThatSendsItsBodyByteByByteIsCutOff() throws {
        try channel.writeInbound(head)
        for _ in 0..<9 {
            pass(1)
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "x")))
        }
        #expect(channel.isActive)
        pass(2)
        #expect(!channel.isActive)
    }

    @Test func anEarlyAnswerGivesNoMoreTimeForTheRestOfTheRequest() throws {
        try channel.writeInbound(head)
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        pass(9)
        #expect(channel.isActive)
        pass(2)
        #expect(!channel.isActive)
    }

    @Test func anAnswerMayTakeLongAndTheNextRequestMayWait() throws {
        try channel.writeInbound(head)
        try channel.writeInbound(HTTPRequestPart.end(nil))
        pass(100)
        #expect(channel.isActive)
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        pass(119)
        #expect(channel.isActive)
        try channel.writeInbound(head)
        pass(9)
        #expect(channel.isActive)
        pass(2)
        #expect(!channel.isActive)
    }
}

extension RequestTimerTests {
    @Test func aClientThatNeverReadsItsAnswerIsCutOff() throws {
        try channel.writeInbound(head)
        try channel.writeInbound(HTTPRequestPart.end(nil))
        pass(119)
        #expect(channel.isActive)
        pass(2)
        #expect(!channel.isActive)
    }
}
