import Health
import Testing

@testable import Pages

@Suite struct TargetPageTests {
    private func facts(name: String = "Payments") -> TargetFacts {
        var live = TargetIndex.Live()
        (live.status, live.reason, live.since, live.lastAt) = (.down, .statusUnexpected, sampleTime, sampleTime)
        var facts = TargetFacts(
            identity: sample("k", name: name, region: String(name.prefix(64))), live: live,
            sentence: "HTTP 503, but 200-399 was expected",
            url: "https://a.example/\(name)", interval: .seconds(30), bound: .seconds(63))
        facts.failures = 3
        facts.days = Array(repeating: .good, count: 88) + [.degraded, .down]
        facts.today = 20_000
        facts.sums = StateSums(available: 999_999, down: 1)
        facts.probes = (0..<50).map(probe)
        facts.lastGood = Evidence(at: sampleTime + .seconds(-90), httpStatus: 200, phases: Phases(processing: .milliseconds(46)))
        facts.incidents = [incident(7)]
        facts.openIncident = IncidentFacts(
            incident(7, name: name), interval: .seconds(30), bound: .seconds(63), evidence: [.firstBad: hostileEvidence])
        facts.companions = (0..<4).map {
            CompanionFacts(incident(7 + $0, "k\($0)"), address: IPAddress("203.0.113.9"), fingerprint: nil)
        }
        facts.settings = [.init(key: "timeout", value: "5s", origin: "probe, line 12")]
        let steps = (0..<288).map(step)
        facts.latency = LatencyFacts(
            window: .day, steps: steps, p50: .milliseconds(50), p95: .milliseconds(80), p99: .milliseconds(120))
        return facts
    }

    private func probe(_ number: Int) -> TargetFacts.Probe {
        let isBad = number < 3
        let phases = Phases(dns: .microseconds(40), connect: .milliseconds(2), processing: .milliseconds(3000))
        return TargetFacts.Probe(
            startedAt: sampleTime + .seconds(-30 * number), outcome: isBad ? .bad(.statusUnexpected) : .good, isVoid: number == 7,
            httpStatus: isBad ? 503 : 200, address: "203.0.113.9", duration: .milliseconds(isBad ? 3048 : 82), phases: phases,
            lateness: .zero)
    }

    private func step(_ number: Int) -> LatencyStep {
        let isGap = number % 9 == 0
        return LatencyStep(
            start: sampleTime + .seconds(300 * number), p50: isGap ? nil : .milliseconds(50), p95: .milliseconds(80),
            p99: .milliseconds(120),
            probes: isGap ? 0 : 10, failures: number % 50 == 1 ? 2 : 0)
    }

    private func html(_ facts: TargetFacts) throws -> String {
        try TargetPage(facts, TargetIndex()).document(try PageRenderer(), frame(.targets), isTwin: false).text
    }

    @Test func itSaysWhatWhySinceWhenAndWhatToDo() throws {
        let html = try html(facts())
        for words in [
            "<b class=\"down\">Down</b> since", "HTTP 503, but 200-399 was expected.",
            "3 other targets began to fail within 30 s of it.",
            "/incidents/7", "Look for the fault in the service.", "probes since it began", "every 30 s", "probe, line 12",
            "Last 50 results",
            "<b>99.999 %</b> available", "it counts for nothing",
            "From when every probe fails to an alert it takes 1 min 3 s at most.",
        ] {
            #expect(html.contains(words), "\(words)")
        }
        #expect(!html.replacing("{{name}}", with: "").contains("{{"))
    }

    @Test func whatIsForeignIsEscapedAndCut() throws {
        let html = try html(facts(name: hostile)).replacing("{{name}}", with: "")
        #expect(!html.contains("<script>alert") && !html.contains("\u{202e}") && html.contains("\\u{202e}"))
        #expect(!html.contains(String(repeating: "x", count: Evidence.bodyMax + 1)))
        #expect(html.utf8.count < 80_000)
    }

    @Test func aDayThatWasNotGoodIsALinkToItsIncidents() throws {
        #expect(try html(facts()).contains("href=\"/incidents?client=c&amp;target=k&amp;day=2024-10-03\""))
    }

    @Test func itsTwinHasTheSame() throws {
        let json = try TargetPage(facts(), TargetIndex()).document(try PageRenderer(), frame(.targets), isTwin: true).text
        for words in [
            "\"kind\":\"target\"", "\"consecutive_failures\":3", "\"since\":\"", "\"window\":\"24h\"", "\"open_incident\":{",
        ] {
            #expect(json.contains(words), "\(words)")
        }
    }

    @Test func aLineForAShellIsOneWord() {
        #expect(shellWord("tgt_1") == "tgt_1")
        #expect(shellWord("a b") == "'a b'")
        #expect(shellWord("it's; rm") == "'it'\\''s; rm'")
        #expect(shellWord("a\nb") == "'a\\u{a}b'")
        #expect(shellWord("") == "''")
    }

    @Test func aURLWithAHiddenValueIsNoCommand() {
        var facts = facts()
        facts.url = "https://a.example/?key=…"
        #expect(!Advice(facts).commands.contains { $0.text.hasPrefix("curl") })
    }
}

@Suite struct WindowTests {
    @Test(arguments: LatencyFacts.Window.allCases) func aWindowHasAFewHundredSteps(_ window: LatencyFacts.Window) {
        let (whole, step) = window.length
        #expect((100...300).contains(Int(whole / step)))
        #expect(whole.wholeMilliseconds.isMultiple(of: step.wholeMilliseconds))
    }
}
