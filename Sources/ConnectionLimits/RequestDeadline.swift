import NIOCore

/// How long a client may take for its next step, and what happens to its connection when the time is over.
///
/// The client gets a fixed time for each step, whatever bytes it sends meanwhile. A client that sends a byte now and then can't keep its
/// connection open.
///
/// This is the state of one connection, without a socket and without a clock. Its caller runs at most one timer, as the actions say.
struct RequestDeadline {
    enum Action: Equatable {
        /// The new timer replaces a timer that runs.
        case startTimer(TimeAmount)
        case cancelTimer
        case closeConnection
        case doNothing
    }

    private enum State {
        /// No request has begun since the connection was accepted.
        case accepted
        /// The head of a request has come, and its end has not.
        case readingRequest
        /// A whole request has come.
        case answering
        /// The last answer was written.
        case idle
        case closed
    }

    /// For TLS and the head of the first request together; and for the body of each request, from its head on.
    static let requestTimeMax = TimeAmount.seconds(10)

    /// From the end of a request until the last byte of its answer is written. A page, a sync or a reload takes less.
    static let answerTimeMax = TimeAmount.seconds(120)

    /// From the end of an answer to the head of the next request.
    private let idleTimeMax: TimeAmount
    private var state = State.accepted

    init(idleTimeMax: TimeAmount) { self.idleTimeMax = idleTimeMax }

    /// Called first, and once.
    func connectionAccepted() -> Action { .startTimer(Self.requestTimeMax) }

    mutating func requestBegan() -> Action {
        if state == .closed { return .doNothing }
        state = .readingRequest
        return .startTimer(Self.requestTimeMax)
    }

    mutating func requestEnded() -> Action {
        if state == .closed { return .doNothing }
        state = .answering
        return .startTimer(Self.answerTimeMax)
    }

    mutating func answerEnded() -> Action {
        switch state {
        // The client was refused before its request was whole. The client gets no more time for the rest of the request.
        case .readingRequest: return .doNothing
        case .closed: return .doNothing
        case .accepted, .answering, .idle:
            state = .idle
            return .startTimer(idleTimeMax)
        }
    }

    mutating func timerFired() -> Action {
        if state == .closed { return .doNothing }
        state = .closed
        return .closeConnection
    }

    mutating func connectionClosed() -> Action {
        if state == .closed { return .doNothing }
        state = .closed
        return .cancelTimer
    }
}
