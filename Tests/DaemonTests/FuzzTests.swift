import Foundation
import Fuzzing
import Testing

/// Some thousands of what scripts/fuzz sends by the million: answers from a grammar, through every way by which a stranger's bytes come in.
/// RANGEFINDER_SEED repeats a run.
@Suite(.timeLimit(.minutes(5))) struct FuzzTests {
    /// In a process of its own: the descriptors of other tests would be counted, too.
    @Test func noAnswerEndsTheProcessOrHangsOrIsOurOwnFault() async {
        await #expect(processExitsWith: .success) {
            let seed = ProcessInfo.processInfo.environment["RANGEFINDER_SEED"].flatMap { UInt64($0) } ?? 18
            var options = FuzzOptions(seed: seed)
            (options.cases, options.lanes) = (3000, 64)
            // On standard error at once: what crashes says nothing afterwards.
            FileHandle.standardError.write(Data("fuzzing the ways in: RANGEFINDER_SEED=\(seed), \(options.cases) cases\n".utf8))
            let summary = try await Fuzzer(options).run()
            #expect(summary.cases == options.cases)
            for finding in summary.findings { Issue.record("\(finding)") }
            // A grammar of nothing but refused answers would prove little.
            let words = [
                "target good", "target protocol_error", "target status_unexpected", "target connection_closed", "target/2 good",
                "target/2 protocol_error", "target/2 status_unexpected", "list list", "list not_json", "list malformed",
                "list transport_failed", "receiver taken", "receiver refused",
            ]
            for word in words { #expect(summary.words[word, default: 0] > 0, "\(word) never came: \(summary.words)") }
        }
    }

    @Test func aCaseIsMadeAgainFromItsSeedAndItsNumber() {
        let origin = "http://127.0.0.1:40000"
        let cases = (0..<200).map { Case(seed: 18, number: $0, origin: origin) }
        for fuzzed in cases {
            #expect(Case(seed: 18, number: fuzzed.number, origin: origin).description == fuzzed.description)
        }
        #expect(Set(cases.map(\.description)).count == cases.count)
    }
}
