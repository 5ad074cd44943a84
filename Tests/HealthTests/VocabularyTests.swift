import Foundation
import Health
import Testing

@Test func theDefaultPolicyHasTheDocumentedDetectionBound() {
    // 30 + (3 - 1) × max(5, 10) + 10 + 3 × 1 + 0.5
    #expect(ProbePolicy().detectionBound == .milliseconds(63_500))
}

@Test func theDetectionBoundFollowsIntervalFastIntervalTimeoutFallAndTaint() {
    var policy = ProbePolicy()
    policy.interval = .seconds(10)
    policy.fastInterval = .seconds(4)
    policy.timeout = .seconds(2)
    policy.fall = 4
    policy.taintAfter = .milliseconds(500)
    // 10 + (4 - 1) × max(4, 2) + 2 + 4 × 0.5 + 0.5
    #expect(policy.detectionBound == .milliseconds(26_500))
}

@Test func theDetectionBoundOfOneFailureHasNoRechecks() {
    var policy = ProbePolicy()
    policy.fall = 1
    #expect(policy.detectionBound == .milliseconds(41_500))
}

@Test func theFastIntervalAndTheTimeoutAreNeverLongerThanTheInterval() {
    var policy = ProbePolicy()
    policy.interval = .seconds(3)
    #expect(policy.effectiveFastInterval == .seconds(3))
    #expect(policy.effectiveTimeout == .seconds(3))
    // 3 + 2 × 3 + 3 + 3 + 0.5
    #expect(policy.detectionBound == .milliseconds(15_500))
}

@Test func statusCodesAreThoseThatDashboardsKnow() {
    #expect(Status.allCases.map(\.code) == [0, 1, 2, 3])
    #expect(Status.allCases.map(\.rawValue) == ["unknown", "up", "degraded", "down"])
    #expect(Status.allCases.map { Status(code: $0.code) } == Status.allCases)
    #expect(Status(code: 4) == nil)
}

@Test func onlyOurPolicyAndABadRecordMakeATargetUnprobeable() {
    #expect(Reason.allCases.filter(\.meansUnprobeable) == [.addressDenied, .urlInvalid])
}

@Test func aNewNameIsTheSameTargetInTheSamePlace() {
    let target = Target(
        identity: JudgedTarget.target, name: "a", baseURL: "https://a.example", testPath: "/h", region: "eu")
    var renamed = target
    renamed.name = "b"
    #expect(target.probesSameURL(as: renamed))
    var moved = target
    moved.testPath = "/health"
    #expect(!target.probesSameURL(as: moved))
}

@Test func everyReasonAndCauseIsExplainedInTheDocuments() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(contentsOf: root.appending(path: "docs/reasons.md"), encoding: .utf8)
    for word in Reason.allCases.map(\.rawValue) + Cause.allCases.map(\.rawValue) {
        #expect(text.contains("| `\(word)` |"), "docs/reasons.md has no row for \(word)")
    }
}

@Test func eachPhaseReadsItsOwnTime() {
    let phases = Phases(
        dns: .seconds(1), connect: .seconds(2), tls: .seconds(3), processing: .seconds(4), transfer: .seconds(5))
    #expect(Phase.allCases.map { phases[$0] } == (1...5).map { .seconds($0) })
    #expect(Phase.allCases.map(\.shownName) == ["resolve", "connect", "tls", "processing", "transfer"])
}
