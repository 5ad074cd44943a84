import NIOCore
import NIOHTTP1
import Testing

@testable import ConnectionLimits

@Suite struct ConnectionPersistenceTests {
    private func get(_ headers: HTTPHeaders = [:], version: HTTPVersion = .http1_1) -> HTTPRequestHead {
        HTTPRequestHead(version: version, method: .GET, uri: "/", headers: headers)
    }

    private func ok(_ headers: HTTPHeaders = ["Content-Length": "0"]) -> HTTPResponseHead {
        HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
    }

    private var waiting: HTTPRequestHead { self.get(["Expect": "100-Continue", "Content-Length": "2"]) }

    /// A connection that has read the whole of one request.
    private func connection(after head: HTTPRequestHead) -> ConnectionPersistence {
        var connection = ConnectionPersistence()
        _ = connection.readHead(head)
        _ = connection.readEnd()
        return connection
    }

    // MARK: Requests

    @Test func aRequestThatSaysNothingOfTheConnectionIsFollowedByOthers() {
        var connection = ConnectionPersistence()
        for _ in 0..<3 {
            #expect(connection.readHead(get()) == .passOn)
            #expect(connection.readEnd() == .passOn)
            #expect(connection.writeHead(ok()) == .passOn)
            #expect(connection.writeBody() == .passOn)
            #expect(connection.writeEnd() == .passOn)
        }
    }

    private static let lastRequests: [(HTTPVersion, HTTPHeaders)] = [
        (.http1_0, [:]), (.http1_0, ["Connection": "keep-alive"]), (.http1_1, ["Connection": "close"]),
        (.http1_1, ["Connection": "Close"]), (.http1_1, ["Upgrade": "h2c"]),
    ]

    @Test(arguments: lastRequests)
    func nothingIsReadBehindTheLastRequest(version: HTTPVersion, headers: HTTPHeaders) {
        var connection = ConnectionPersistence()
        #expect(connection.readHead(get(headers, version: version)) == .passOnWithConnectionClose)
        #expect(connection.readBody() == .passOn)
        #expect(connection.readEnd() == .passOn)
        #expect(connection.readHead(get()) == .drop)
        #expect(connection.readBody() == .drop)
        #expect(connection.readEnd() == .drop)
    }

    @Test func theAnswerToTheLastRequestIsTheLast() {
        var connection = connection(after: get(["Connection": "close"]))
        #expect(connection.writeHead(ok()) == .passOnWithConnectionClose)
        #expect(connection.writeEnd() == .passOnAsLast)
    }

    @Test func theAnswerToARequestBeforeTheLastIsNotTheLast() {
        var connection = connection(after: get())
        _ = connection.readHead(get(["Connection": "close"]))
        #expect(connection.writeHead(ok()) == .passOn)
        #expect(connection.writeEnd() == .passOn)
        #expect(connection.writeHead(ok()) == .passOnWithConnectionClose)
    }

    // MARK: Answers

    @Test(arguments: ["close", "Close", "CLOSE"]) func anAnswerThatClosesTheConnectionIsTheLast(option: String) {
        var connection = connection(after: get())
        #expect(connection.writeHead(ok(["Connection": option])) == .passOnWithConnectionClose)
        #expect(connection.writeBody() == .passOn)
        #expect(connection.writeEnd() == .passOnAsLast)
        #expect(connection.lastAnswerSent() == .closeOutput(lingering: .seconds(2)))
    }

    /// NIO answers so to bytes that are no request.
    @Test func anAnswerWithoutARequestCanBeTheLast() {
        var connection = ConnectionPersistence()
        #expect(connection.writeHead(ok(["Connection": "close"])) == .passOnWithConnectionClose)
        #expect(connection.writeEnd() == .passOnAsLast)
    }

    @Test func nothingIsWrittenBehindTheLastAnswer() {
        var connection = connection(after: get())
        _ = connection.readHead(get())
        _ = connection.readEnd()
        _ = connection.writeHead(ok(["Connection": "close"]))
        _ = connection.writeEnd()
        #expect(connection.writeHead(ok()) == .fail)
        #expect(connection.writeBody() == .fail)
        #expect(connection.writeEnd() == .fail)
    }

    @Test func whatIsLeftOfARequestIsDroppedAfterTheLastAnswer() {
        var connection = ConnectionPersistence()
        _ = connection.readHead(get())
        _ = connection.writeHead(ok(["Connection": "close"]))
        #expect(connection.readBody() == .passOn)
        _ = connection.writeEnd()
        #expect(connection.readBody() == .drop)
        #expect(connection.readEnd() == .drop)
        #expect(connection.readHead(get()) == .drop)
    }

    @Test func theRequestThatIsReadDuringTheLastAnswerIsTheLast() {
        var connection = ConnectionPersistence()
        _ = connection.readHead(get())
        _ = connection.writeHead(ok(["Connection": "close"]))
        #expect(connection.readEnd() == .passOn)
        #expect(connection.readHead(get()) == .drop)
    }

    @Test func oneRequestBehindALastAnswerThatIsNotWholeIsPassedOnAsTheLast() {
        var connection = connection(after: get())
        _ = connection.writeHead(ok(["Connection": "close"]))
        #expect(connection.readHead(get()) == .passOnWithConnectionClose)
        #expect(connection.readEnd() == .passOn)
        #expect(connection.readHead(get()) == .drop)
    }

    // MARK: The end of an answer

    @Test func anAnswerOfUnknownLengthByHTTP10EndsWithItsConnection() {
        var connection = connection(after: get(version: .http1_0))
        #expect(connection.writeHead(ok([:])) == .passOnDelimitedByClose)
        #expect(connection.writeEnd() == .passOnAsLast)
        #expect(connection.lastAnswerSent() == .closeOutputWithoutReset(lingering: .seconds(2)))
    }

    @Test func anAnswerOfKnownLengthByHTTP10EndsByItsLength() {
        var connection = connection(after: get(version: .http1_0))
        #expect(connection.writeHead(ok()) == .passOnWithConnectionClose)
        _ = connection.writeEnd()
        #expect(connection.lastAnswerSent() == .closeOutput(lingering: .seconds(2)))
    }

    @Test func anAnswerOfUnknownLengthByHTTP11EndsByItsChunks() {
        var connection = connection(after: get(["Connection": "close"]))
        #expect(connection.writeHead(ok([:])) == .passOnWithConnectionClose)
        _ = connection.writeEnd()
        #expect(connection.lastAnswerSent() == .closeOutput(lingering: .seconds(2)))
    }

    // MARK: 100 Continue

    @Test func aClientThatWaitsIsAskedForTheBodyOnce() {
        var connection = ConnectionPersistence()
        _ = connection.readHead(waiting)
        #expect(connection.askForBody() == .sendContinue)
        #expect(connection.askForBody() == .doNothing)
    }

    @Test func aClientThatWasAskedForTheBodyHasMoreAnswers() {
        var connection = ConnectionPersistence()
        _ = connection.readHead(waiting)
        _ = connection.askForBody()
        #expect(connection.writeHead(ok()) == .passOn)
    }

    @Test func aClientThatWasNotAskedForTheBodyHasTheLastAnswer() {
        var connection = ConnectionPersistence()
        _ = connection.readHead(waiting)
        #expect(connection.writeHead(ok()) == .passOnWithConnectionClose)
        #expect(connection.writeEnd() == .passOnAsLast)
        #expect(connection.readBody() == .drop)
    }

    @Test func aClientThatSendsTheBodyUnaskedIsNotAskedForIt() {
        var connection = ConnectionPersistence()
        _ = connection.readHead(waiting)
        _ = connection.readBody()
        #expect(connection.askForBody() == .doNothing)
        #expect(connection.writeHead(ok()) == .passOn)
    }

    @Test func aClientThatSendsAnEmptyBodyUnaskedIsNotAskedForIt() {
        var connection = connection(after: waiting)
        #expect(connection.askForBody() == .doNothing)
        #expect(connection.writeHead(ok()) == .passOn)
    }

    @Test func aClientThatDoesNotWaitIsNotAskedForTheBody() {
        var connection = ConnectionPersistence()
        _ = connection.readHead(get(["Content-Length": "2"]))
        #expect(connection.askForBody() == .doNothing)
    }

    /// HTTP/1.0 has no status 100 (RFC 9110, section 10.1.1).
    @Test func aClientOfHTTP10IsNotAskedForTheBody() {
        var connection = ConnectionPersistence()
        _ = connection.readHead(get(["Expect": "100-continue"], version: .http1_0))
        #expect(connection.askForBody() == .doNothing)
    }

    /// The body of the second request isn't for whoever answers the first.
    @Test func theNextRequestIsNotAskedForItsBodyBeforeTheAnswerToTheFirst() {
        var connection = connection(after: get())
        _ = connection.readHead(waiting)
        #expect(connection.askForBody() == .doNothing)
        _ = connection.writeHead(ok())
        _ = connection.writeEnd()
        #expect(connection.askForBody() == .sendContinue)
    }
}
