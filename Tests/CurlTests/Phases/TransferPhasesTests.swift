import CReceive
import Testing

@testable import Curl

/// From a timeline to phases, as plain numbers.
@Suite struct TransferPhasesTests {
    private var times = TransferTimes(beganAt: 10, deadline: 100_000, addedAt: 20)
    private var timeline = rf_timeline()

    init() {
        (timeline.opened, timeline.connected) = (1000, 1100)
        (timeline.requested, timeline.arrived) = (5000, 5900)
        (times.requestAt, times.answeredAt) = (4990, 5600)
    }

    private func phases(
        isKept: Bool = false, isProxied: Bool = false, usesTLS: Bool = false, end: Int64 = 9000, isCutOff: Bool = false
    ) -> TransferPhases {
        TransferPhases(
            times, timeline, hasOpenedSocket: !isKept, isProxied: isProxied, usesTLS: usesTLS, end: end, isCutOff: isCutOff)
    }

    private static func numbers(_ phases: TransferPhases) -> [Int64?] {
        [phases.connect, phases.tls, phases.processing, phases.transfer]
    }

    @Test mutating func thoseOfAWholeAnswerHaveWhatTheWireAndTheServerTook() {
        times.tunnel = 0
        #expect(Self.numbers(phases()) == [100, nil, 600, 300])
        times.handshake = 700
        #expect(Self.numbers(phases(usesTLS: true)) == [100, 700, 600, 300])
    }

    @Test func aKeptConnectionTakesNoTime() {
        #expect(Self.numbers(phases(isKept: true)) == [0, nil, 600, 300])
        #expect(Self.numbers(phases(isKept: true, usesTLS: true)) == [0, 0, 600, 300])
    }

    @Test mutating func throughAProxyConnectLastsUntilTheWayIsOpen() {
        (times.tunnel, times.handshake) = (40, 700)
        #expect(Self.numbers(phases(isProxied: true, usesTLS: true)) == [140, 700, 600, 300])
        (times.tunnel, timeline.wire, timeline.edge) = (nil, 30, 1300)
        #expect(Self.numbers(phases(isProxied: true)) == [130, nil, nil, nil])
        #expect(Self.numbers(phases(isProxied: true, end: 2000, isCutOff: true)) == [830, nil, nil, nil])
    }

    @Test mutating func aConnectionThatNeverStoodHasTheTimeUntilTheEnd() {
        timeline.connected = 0
        (times.requestAt, times.answeredAt) = (0, nil)
        #expect(Self.numbers(phases(usesTLS: true, end: 8000)) == [7000, nil, nil, nil])
    }

    /// libcurl has asked for no socket.
    @Test mutating func withoutASocketTheTimeIsThatSinceLibcurlGotIt() {
        (timeline.opened, timeline.connected) = (0, 0)
        (times.requestAt, times.answeredAt) = (0, nil)
        #expect(Self.numbers(phases(isKept: true, end: 8000)) == [7980, nil, nil, nil])
    }

    @Test mutating func aHandshakeThatIsCutOffHasItsRoundsAndTheWaitUntilThen() {
        (times.tunnel, timeline.wire, timeline.edge) = (0, 200, 3000)
        (times.requestAt, times.answeredAt) = (0, nil)
        #expect(Self.numbers(phases(usesTLS: true, end: 3500, isCutOff: true)) == [100, 700, nil, nil])
        // This process ended it: what it did after the last bytes is its own work.
        #expect(Self.numbers(phases(usesTLS: true, end: 3500)) == [100, 200, nil, nil])
    }

    @Test mutating func aWaitForTheAnswerThatIsCutOffLastsUntilThen() {
        (times.tunnel, times.answeredAt) = (0, nil)
        #expect(Self.numbers(phases(end: 7000, isCutOff: true)) == [100, nil, 2000, nil])
        // The connection ended at 5900.
        #expect(Self.numbers(phases(end: 7000)) == [100, nil, 900, nil])
    }

    @Test mutating func aConnectionThatStoodAfterTheEndWasBeingMade() {
        times.tunnel = 0
        #expect(Self.numbers(phases(usesTLS: true, end: 1050, isCutOff: true)) == [50, nil, nil, nil])
    }

    @Test mutating func aHandshakeThatEndedAfterTheEndIsCutOff() {
        (times.tunnel, times.handshake) = (0, 3800)
        #expect(Self.numbers(phases(usesTLS: true, end: 4000, isCutOff: true)) == [100, 2900, nil, nil])
    }

    @Test mutating func theirSumIsNeverMoreThanTheTimeUntilTheEnd() {
        (times.tunnel, times.handshake) = (100, 3700)
        for end: Int64 in stride(from: 1000, through: 7000, by: 50) {
            let sum = phases(isProxied: true, usesTLS: true, end: end, isCutOff: true).sum
            #expect(sum <= end - timeline.opened, "\(end)")
        }
    }

    @Test mutating func whatCameAfterTheEndIsInNoPhase() {
        times.tunnel = 0
        #expect(Self.numbers(phases(end: 5700, isCutOff: true)) == [100, nil, 600, 100])
        #expect(Self.numbers(phases(end: 5500, isCutOff: true)) == [100, nil, 500, 0])
    }
}

/// What becomes of a transfer whose deadline has passed, as plain numbers.
@Suite struct OverdueVerdictTests {
    private static let deadline: UInt64 = 1_000_000_000

    private func verdict(waitsSince: UInt64?, wasReadLate: Bool = false, after nanoseconds: UInt64) -> Overdue {
        Overdue(
            waitsSince: waitsSince, wasReadLate: wasReadLate, deadline: Self.deadline, now: Self.deadline + nanoseconds)
    }

    @Test func silenceIsATimeout() {
        #expect(verdict(waitsSince: nil, after: 0) == .timedOut)
        #expect(verdict(waitsSince: nil, after: 9 * Overdue.grace) == .timedOut)
    }

    @Test func whatHadComeIsReadFirst() {
        #expect(verdict(waitsSince: Self.deadline, after: 1) == .awaitsReading)
        #expect(verdict(waitsSince: Self.deadline, after: Overdue.grace) == .awaitsReading)
        #expect(verdict(waitsSince: Self.deadline - Overdue.grace + 5, after: 5) == .awaitsReading)
    }

    @Test func whatHadComeAndWaitsTooLongIsOurFault() {
        #expect(verdict(waitsSince: Self.deadline - 5, after: Overdue.grace) == .heldUp)
        #expect(verdict(waitsSince: Self.deadline - Overdue.grace, after: 1) == .heldUp)
        #expect(verdict(waitsSince: nil, wasReadLate: true, after: Overdue.grace + 1) == .heldUp)
    }

    @Test func whatCameLaterChangesNothing() {
        #expect(verdict(waitsSince: Self.deadline + 1, after: 9 * Overdue.grace) == .timedOut)
    }

    private func isOurs(spent: Int, selfDelay: Int, timeout: UInt64 = 1_000_000_000) -> Bool {
        Overdue.isOurs(timeout: timeout, spent: .milliseconds(spent), selfDelay: .milliseconds(selfDelay))
    }

    @Test func aTimeoutOfWhichThisProcessHadMoreThanHalfIsOurFault() {
        #expect(isOurs(spent: 499, selfDelay: 501))
        #expect(!isOurs(spent: 501, selfDelay: 501))
        #expect(!isOurs(spent: 0, selfDelay: 20, timeout: Overdue.grace))
    }

    @Test func timeThatIsMissingFromThePhasesIsNotOursUnlessItWasMeasured() {
        #expect(!isOurs(spent: 10, selfDelay: 0))
        #expect(!isOurs(spent: 10, selfDelay: 499))
    }
}
