import NIOCore
import NIOHTTP1

/// Whether a connection persists after an answer (RFC 9112, section 9.3), and how the connection ends when it doesn't.
///
/// The connection ends after an answer that says `Connection: close`. It also ends after the answer to each of these requests:
/// - a request of HTTP/1.0, or with the option `close` in any spelling;
/// - a request to upgrade, because NIO reads no request behind it;
/// - a request whose client still waits for `100 Continue` when the answer begins, because nobody knows whether its body will come.
///
/// This is the state of one connection, without a socket and without a clock. Its caller passes on each part of a request and of an answer
/// as the actions say.
struct ConnectionPersistence {
    enum ReadHeadAction: Equatable {
        case passOn
        case passOnWithConnectionClose
        case drop
    }

    enum ReadAction: Equatable {
        case passOn
        case drop
    }

    enum AskForBodyAction: Equatable {
        case sendContinue
        case doNothing
    }

    enum WriteHeadAction: Equatable {
        case passOn
        case passOnWithConnectionClose
        /// The end of the connection is the only end of the answer. So the head gets the version HTTP/1.0, too: NIO sends no chunks by that
        /// version (RFC 9112, section 6.1). From now on a close has to be a reset, so that a part of the answer isn't taken for the whole.
        case passOnDelimitedByClose
        case fail
    }

    enum WriteAction: Equatable {
        case passOn
        case fail
    }

    enum WriteEndAction: Equatable {
        case passOn
        /// ``lastAnswerSent()`` follows when the system has taken the bytes.
        case passOnAsLast
        case fail
    }

    enum LastAnswerSentAction: Equatable {
        /// The output is closed now, and the connection after `lingering`.
        case closeOutput(lingering: TimeAmount)
        /// As `closeOutput`. The whole answer was sent, so the close mustn't be a reset any more.
        case closeOutputWithoutReset(lingering: TimeAmount)
    }

    /// A request that has no whole answer yet.
    private struct Request {
        enum Body { case awaitsContinue, comesUnasked }

        let version: HTTPVersion
        /// The answer to the request is the last of the connection.
        let isLast: Bool
        var body: Body
    }

    private enum Requests {
        case othersMayFollow
        /// The request that is read now is the last, or the next request is when none is read now.
        case last
        /// What comes is dropped. It would get no answer, and a shutdown would wait for the answer.
        case dropped
    }

    private enum Answers {
        case othersMayFollow
        case last(Delimiter)
        case ended(Delimiter)
    }

    /// How a client knows the end of the last answer.
    private enum Delimiter { case length, close }

    /// The time from the last answer to the end of the connection. In this time the client reads the answer and notices its end. What the
    /// client still sends is dropped: a connection that is closed over unread bytes is reset, and the reset may overtake the answer (RFC
    /// 9112, section 9.6).
    static let lingering = TimeAmount.seconds(2)

    /// The oldest first. Requests may come before the answers to earlier requests.
    private var unanswered: [Request] = []
    private var requests = Requests.othersMayFollow
    private var answers = Answers.othersMayFollow

    mutating func readHead(_ head: HTTPRequestHead) -> ReadHeadAction {
        if requests == .dropped { return .drop }
        if head.isLastOfItsConnection { requests = .last }
        let isLast = requests == .last
        unanswered.append(
            Request(version: head.version, isLast: isLast, body: head.awaitsContinue ? .awaitsContinue : .comesUnasked))
        return isLast ? .passOnWithConnectionClose : .passOn
    }

    mutating func readBody() -> ReadAction {
        if requests == .dropped { return .drop }
        noteThatBodyComes()
        return .passOn
    }

    mutating func readEnd() -> ReadAction {
        if requests == .dropped { return .drop }
        noteThatBodyComes()
        if requests == .last { requests = .dropped }
        return .passOn
    }

    private mutating func noteThatBodyComes() {
        if !unanswered.isEmpty { unanswered[unanswered.count - 1].body = .comesUnasked }
    }

    /// Whoever answers the oldest request wants to read its body.
    mutating func askForBody() -> AskForBodyAction {
        // A request that awaits `100 Continue` is the only one that is unanswered: no other request comes before its body.
        guard unanswered.count == 1, unanswered[0].body == .awaitsContinue else { return .doNothing }
        unanswered[0].body = .comesUnasked
        return .sendContinue
    }

    mutating func writeHead(_ head: HTTPResponseHead) -> WriteHeadAction {
        if case .ended = answers { return .fail }
        let request = unanswered.first
        let isLast = request.map { $0.isLast || $0.body == .awaitsContinue } ?? false
        guard isLast || head.closesConnection else {
            answers = .othersMayFollow
            return .passOn
        }
        if requests == .othersMayFollow { requests = .last }
        guard let request, request.version != .http1_1, !head.headers.contains(name: "Content-Length") else {
            answers = .last(.length)
            return .passOnWithConnectionClose
        }
        answers = .last(.close)
        return .passOnDelimitedByClose
    }

    func writeBody() -> WriteAction {
        if case .ended = answers { .fail } else { .passOn }
    }

    mutating func writeEnd() -> WriteEndAction {
        if case .ended = answers { return .fail }
        if !unanswered.isEmpty { unanswered.removeFirst() }
        guard case .last(let delimiter) = answers else { return .passOn }
        (answers, requests) = (.ended(delimiter), .dropped)
        return .passOnAsLast
    }

    func lastAnswerSent() -> LastAnswerSentAction {
        if case .ended(.close) = answers {
            .closeOutputWithoutReset(lingering: Self.lingering)
        } else {
            .closeOutput(lingering: Self.lingering)
        }
    }
}

extension HTTPRequestHead {
    fileprivate var isLastOfItsConnection: Bool { version != .http1_1 || !isKeepAlive || headers.contains(name: "Upgrade") }

    fileprivate var awaitsContinue: Bool {
        version == .http1_1 && headers[canonicalForm: "Expect"].contains { $0.lowercased() == "100-continue" }
    }
}

extension HTTPResponseHead {
    fileprivate var closesConnection: Bool { headers[canonicalForm: "Connection"].contains { $0.lowercased() == "close" } }
}
