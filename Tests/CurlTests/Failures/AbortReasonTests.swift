import CCurl
import Glibc
import Testing

@testable import Curl

@Suite struct AbortReasonTests {
    private static let all: [AbortReason] =
        AnswerHead.Fault.allCases.map { .head($0) } + [
            .systemCall(EMFILE), .unaskedAnswer, .flood, .bodyTooLarge(limit: 5), .addressDenied,
            .caFileUnreadable(path: "/ca.pem"),
        ]

    @Test func onlyAFailedCallOfOursLetsLibcurlGoOn() {
        #expect(Self.all.filter { !$0.endsTransfer } == [.systemCall(EMFILE)])
    }

    @Test func theFirstReasonStays() {
        for first in Self.all where first.endsTransfer {
            #expect(Self.all.allSatisfy { !first.isReplaced(by: $0) }, "\(first)")
        }
    }

    @Test func aFailedCallOfOursGivesWayToAReasonThatEndsTheTransfer() {
        #expect(Self.all.filter { AbortReason.systemCall(ENFILE).isReplaced(by: $0) } == Self.all.filter(\.endsTransfer))
    }

    @Test func eachSaysWhatHappened() {
        for reason in Self.all where reason != .addressDenied { #expect(!reason.words.isEmpty, "\(reason)") }
        #expect(AbortReason.bodyTooLarge(limit: 5).words == "more than 5 bytes")
        #expect(AbortReason.caFileUnreadable(path: "/ca.pem").words == "error setting certificate file: /ca.pem")
        #expect(AbortReason.systemCall(ENOMEM).words == systemErrorText(ENOMEM))
    }

    @Test(arguments: FailureReading.Connection.allCases) func aFloodIsThePeersWhereverItComes(
        _ connection: FailureReading.Connection
    ) {
        var reading = FailureReading(result: CURLE_ABORTED_BY_CALLBACK)
        (reading.connection, reading.abortReason) = (connection, .flood)
        let isHandshaking = connection == .handshaking || connection == .preparingHandshake
        #expect(reading.code == (isHandshaking ? .tlsFailed : .protocolError))
    }

    @Test func aFloodBeforeTheProxyHasLetUsThroughIsTheProxys() {
        var reading = FailureReading(result: CURLE_ABORTED_BY_CALLBACK)
        (reading.connection, reading.abortReason, reading.isBeforeTarget) = (.standing, .flood, true)
        #expect(reading.code == .proxyFailed)
    }
}
