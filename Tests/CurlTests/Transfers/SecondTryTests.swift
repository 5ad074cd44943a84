import CCurl
import Testing

@testable import Curl

@Suite struct SecondTryTests {
    private func isDeserved(_ change: (inout SecondTry) -> Void) -> Bool {
        var attempt = SecondTry()
        (attempt.isOnKeptConnection, attempt.failure) = (true, .connectionClosed)
        change(&attempt)
        return attempt.isDeserved
    }

    @Test(arguments: [TransferFailure.Code.connectReset, .connectionClosed, .protocolError])
    func aKeptConnectionThatIsGoneDeservesOne(_ code: TransferFailure.Code) {
        #expect(isDeserved { $0.failure = code })
    }

    @Test func aNewConnectionThatIsGoneDeservesNone() {
        #expect(!isDeserved { $0.isOnKeptConnection = false })
    }

    @Test func aStreamThatANewConnectionHasSentAwayDeservesOne() {
        #expect(isDeserved { ($0.isOnKeptConnection, $0.failure, $0.result) = (false, .protocolError, CURLE_HTTP2) })
    }

    @Test func thereIsNoThird() {
        #expect(!isDeserved { $0.isSecond = true })
    }

    @Test func thereIsNoneAfterTheDeadline() {
        #expect(!isDeserved { $0.isLate = true })
    }

    @Test(arguments: ["POST", "PATCH", "CONNECT", "get"]) func aMethodThatMayChangeSomethingDeservesNone(_ method: String) {
        #expect(!isDeserved { $0.method = method })
    }

    @Test func anAnswerThatHasBegunDeservesNone() {
        #expect(!isDeserved { $0.headerBytes = 1 })
    }

    @Test func aFloodDeservesNone() {
        #expect(!isDeserved { ($0.failure, $0.abortReason) = (.protocolError, .flood) })
    }

    @Test func anAnswerThatNobodyAskedForDeservesOne() {
        #expect(isDeserved { ($0.failure, $0.abortReason, $0.headerBytes) = (.protocolError, .unaskedAnswer, 100) })
    }

    @Test func aTimeOutOnAnIdleConnectionDeservesOne() {
        #expect(isDeserved { ($0.failure, $0.status, $0.headerBytes) = (nil, 408, 100) })
        #expect(!isDeserved { ($0.failure, $0.status, $0.isOnKeptConnection) = (nil, 408, false) })
        #expect(!isDeserved { ($0.failure, $0.status) = (nil, 200) })
    }

    @Test(arguments: [TransferFailure.Code.timedOut, .tlsFailed, .localFault, .cancelled])
    func anotherFailureDeservesNone(_ code: TransferFailure.Code) {
        #expect(!isDeserved { $0.failure = code })
    }
}
