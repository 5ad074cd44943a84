import Foundation
import Health
import History
import TestSupport
import Testing

/// `history` and its commands, as a person runs them.
@Suite(.timeLimit(.minutes(5))) struct HistoryCommandTests {
    let site: Site

    init() throws { site = try Site(paths: []) { _ in .http(200) } }

    private static var now: Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    private func run(_ words: String...) async throws -> Program.Ended {
        try await Program.run(["history"] + words + ["--config", site.configuration])
    }

    /// Six hours of one target id under two clients.
    ///
    /// - Parameter isKept: for the usual time; else results and minutes are kept for an hour.
    private func fill(from start: Timestamp, isKept: Bool = false) async throws {
        var options = HistoryOptions(vantage: "test", now: { Self.now })
        if !isKept {
            options.keep.raw = .seconds(3600)
            options.keep.minutes = .seconds(3600)
        }
        let history = try History.open(path: site.database, options: options)
        for second in stride(from: 0, to: 6 * 3600, by: 60) {
            for client in ["one", "two"] {
                let target = TargetIdentity(clientID: client, key: "tgt_1")
                let result = ProbeResult(
                    target: target, startedAt: start + .seconds(second), duration: .milliseconds(20), lateness: .zero,
                    outcome: .good, sentence: "", phases: Phases(processing: .milliseconds(20)), facts: ResponseFacts())
                var judge = Judge()
                let judgement = judge.judge(result, policy: ProbePolicy())
                history.append(HistoryRecord(result: result, judgement: judgement, judge: judge, interval: .seconds(60)))
            }
            await history.flush()
        }
        while await history.compact() {}
        while await history.removeOld() {}
        await history.close()
    }

    /// The token is for the daemon's user alone; whoever may read the database may read it.
    @Test func noTokenIsNeededToRead() async throws {
        try await fill(from: Self.now + .seconds(-6 * 3600))
        try FileManager.default.removeItem(atPath: site.folder.file("token"))
        for words in [
            ["status"], ["incidents"], ["replay"], ["history", "tgt_1", "--client", "one"], ["history", "check"],
            ["history", "export"],
        ] {
            let ended = try await Program.run(words + ["--config", site.configuration])
            #expect(ended.code == 0 && !ended.errors.contains("token"), "\(words): \(ended.errors)")
        }
    }

    @Test func anIDOfTwoClientsWantsTheClient() async throws {
        try await fill(from: Self.now + .seconds(-6 * 3600))
        let both = try await run("tgt_1")
        #expect(both.code == 2)
        #expect(both.errors.contains("give --client, one of: one, two"))
        let one = try await run("tgt_1", "--client", "two", "--json")
        #expect(one.code == 0 && one.output.contains(#""client_id":"two""#))
        #expect(try await run("tgt_1", "--client", "three").code == 2)
        let incidents = try await Program.run(["incidents", "--client", "one", "--config", site.configuration])
        #expect(incidents.code == 2 && incidents.errors.contains("--client goes with --target"))
    }

    @Test func aStepThatIsFinerThanWhatIsKeptIsSaid() async throws {
        try await fill(from: Self.now + .seconds(-12 * 3600))
        let ended = try await run("tgt_1", "--client", "one", "--resolution", "5m", "--csv")
        #expect(ended.code == 0 && ended.errors.contains("give --resolution 1h or longer"))
        let hours = try await run("tgt_1", "--client", "one", "--resolution", "1h", "--csv")
        #expect(hours.code == 0 && hours.errors == "")
        #expect(hours.output.split(separator: "\r\n").count >= 6)
    }

    /// A plot of a day would show a daemon of six hours in its last quarter.
    @Test func aPlotBeginsWithWhatThereIs() async throws {
        let start = Self.now + .seconds(-6 * 3600)
        try await fill(from: start, isKept: true)
        for since in ["1d", "1w", "30d"] {
            let ended = try await run("tgt_1", "--client", "one", "--since", since)
            let title = try #require(ended.output.split(separator: "\n").first)
            let begin = try #require(title.firstMatch(of: /, from (\S+) on,/)?.1)
            let time = try #require(Timestamp(String(begin)), "\(title)")
            #expect(time > start + .seconds(-3600) && time <= start, "\(title)")
            #expect(title.hasSuffix(", 5m a column") || title.hasSuffix(", 15m a column"), "\(title)")
            #expect(ended.output.contains("360 probes"), "\(ended.output)")
        }
        let asked = try await run("tgt_1", "--client", "one", "--since", "1d", "--resolution", "1h")
        #expect(asked.output.split(separator: "\n").first?.hasSuffix("tgt_1, 1h a column") == true, "\(asked.output)")
    }

    @Test func aNameThatIsNearlyRightIsSuggested() async throws {
        let watched = try await WatchedSite()
        for words in [
            ["history", "godo"], ["incidents", "--target", "Good2"], ["replay", "--target", "goood"], ["status", "GOO"],
            ["probe", "--target", "gooD"],
        ] {
            let ended = try await Program.run(words + ["--config", watched.configuration])
            #expect(ended.code == 2 && ended.errors.contains("; did you mean good?"), "\(words): \(ended.errors)")
        }
        let far = try await Program.run(["history", "quite-another", "--config", watched.configuration])
        #expect(far.code == 2 && far.errors.contains("; `status` lists them"))
    }

    @Test func checkAdvisesARepairOnlyOfWhatMayBeDamaged() async throws {
        let missing = try await run("check")
        #expect(missing.code == 69 && missing.errors.contains("has the daemon run yet") && !missing.errors.contains(".recover"))
        try site.folder.write(String(repeating: "no database ", count: 20), to: "history.db")
        let foreign = try await run("check")
        #expect(foreign.code == 69 && foreign.errors.contains(".recover"))
    }
}
