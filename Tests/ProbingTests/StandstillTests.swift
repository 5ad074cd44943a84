import Health
import Testing

@testable import Curl
@testable import Probing

/// A process that was stopped, or a machine that was suspended, while a probe was under way.
@Suite struct StandstillTests {
    private func probe(
        _ failure: TransferFailure.Code?, standstill: Duration, due: ContinuousClock.Instant? = .now,
        taintAfter: Duration = .seconds(1), wasHeldUp: Bool = false
    ) async
        -> ProbeResult
    {
        let target = Target(
            identity: TargetIdentity(clientID: "c", key: "t"), name: "n", baseURL: "http://127.0.0.1:1", testPath: "/",
            region: "r")
        var policy = ProbePolicy(userAgent: "test")
        (policy.timeout, policy.taintAfter) = (.seconds(5), taintAfter)
        let transfer: Probing.Transfer = { _ in
            var report = TransferReport(startedAt: .now, startedAtMilliseconds: 1)
            (report.status, report.standstill) = (failure == nil ? 200 : nil, standstill)
            report.wasHeldUp = wasHeldUp
            report.failure = failure.map { TransferFailure($0) }
            return report
        }
        let prober = Prober(transfer: transfer, wallClock: { Timestamp(milliseconds: 1) })
        return await prober.probe(ProbeOrder(target: target, policy: policy, egress: .unlimited, due: due)).result
    }

    @Test(arguments: [nil, TransferFailure.Code.timedOut, .connectTimedOut, .connectReset, .lookupTimedOut])
    func whateverAProbeSawOverItIsVoid(_ failure: TransferFailure.Code?) async {
        let result = await probe(failure, standstill: .seconds(6))
        #expect(result.void == .tainted)
        #expect(result.lateness >= .seconds(6))
        #expect(result.sentence.contains("stood still for 6 s"))
    }

    @Test func aProbeThatAPersonAskedForIsVoidToo() async {
        #expect(await probe(.timedOut, standstill: .seconds(6), due: nil).void == .tainted)
    }

    @Test func forLongerThanTheTimeoutIsVoidAlsoBelowTaintAfter() async {
        #expect(await probe(.timedOut, standstill: .seconds(6), taintAfter: .seconds(60)).void == .tainted)
        #expect(await probe(.timedOut, standstill: .seconds(4), taintAfter: .seconds(60)).void == nil)
    }

    /// What had come by the deadline lay unread.
    @Test(arguments: [nil, TransferFailure.Code.timedOut])
    func whatABusyProcessReadTooLateIsVoid(_ failure: TransferFailure.Code?) async {
        let result = await probe(failure, standstill: .zero, due: nil, wasHeldUp: true)
        #expect(result.void == .tainted && result.sentence.contains("this process was too busy for the probe"))
    }

    /// It is in no hop's duration, so the time until the next hop has it already.
    @Test func betweenTwoHopsItIsCountedOnce() async {
        let began = ContinuousClock.now
        let target = Target(
            identity: TargetIdentity(clientID: "c", key: "t"), name: "n", baseURL: "http://127.0.0.1:1", testPath: "/",
            region: "r")
        var policy = ProbePolicy(userAgent: "test")
        (policy.timeout, policy.followRedirects) = (.seconds(5), 1)
        let transfer: Probing.Transfer = { request in
            let isFirst = request.url.text.hasSuffix(":1/")
            var report = TransferReport(startedAt: isFirst ? began : began + .milliseconds(600), startedAtMilliseconds: 1)
            (report.status, report.location) = isFirst ? (302, "/next") : (200, nil)
            (report.duration, report.standstill) = (.milliseconds(100), isFirst ? .milliseconds(400) : .zero)
            return report
        }
        let prober = Prober(transfer: transfer, wallClock: { Timestamp(milliseconds: 1) })
        let result = await prober.probe(ProbeOrder(target: target, policy: policy, egress: .unlimited, due: began)).result
        #expect(result.lateness == .milliseconds(500))
    }

    @Test func aShortOneChangesNoAnswer() async {
        #expect(await probe(nil, standstill: .milliseconds(600)).void == nil)
        let reset = await probe(.connectReset, standstill: .milliseconds(600))
        #expect(reset.void == nil && reset.outcome == .bad(.connectReset))
    }
}
