import Health
import Testing

@testable import Terminal

@Suite struct LatencyPlotTests {
    private let start = Timestamp(milliseconds: 1_700_000_000_000)

    private func style(_ width: Int, isUnicode: Bool = false) -> TerminalStyle {
        TerminalStyle(width: width, height: 40, hasColour: false, isInteractive: false, isUnicode: isUnicode)
    }

    private func step(_ p50: Int, _ p95: Int, _ p99: Int, _ status: Status = .up) -> PlotStep {
        PlotStep(p50: .milliseconds(p50), p95: .milliseconds(p95), p99: .milliseconds(p99), status: status)
    }

    @Test func bandsAreDrawnUpToTheirPercentilesAndTheStatusUnderThem() {
        let steps = [step(10, 20, 40), step(20, 30, 40, .degraded), PlotStep(), PlotStep(status: .down)]
        let text = latencyPlot(steps, from: start, to: start + .seconds(240), style: style(60), height: 4)
        #expect(
            text == """
                  40.0 ms |..
                          |.+
                  20.0 ms |+#
                  10.0 ms |##
                   status  -! x
                           2023-11-14 22:13Z
                           # to p50  + to p95  . to p99

                """)
    }

    @Test(arguments: [20, 31, 80, 200])
    func noLineIsWiderThanTheTerminal(width: Int) {
        let steps = (0..<500).map { step($0, 2 * $0, 3 * $0) }
        for isUnicode in [false, true] {
            let text = latencyPlot(
                steps, from: start, to: start + .seconds(500), style: style(width, isUnicode: isUnicode))
            #expect(text.split(separator: "\n").allSatisfy { displayWidth(String($0)) <= width })
        }
    }

    @Test func whereThereIsNoRoomForAllTheLatestAreShownWithTheirTime() {
        let steps = (0..<120).map { step(10, 10, $0 < 60 ? 500 : 10) }
        let text = latencyPlot(steps, from: start, to: start + .seconds(120 * 60), style: style(71))
        #expect(text.contains("2023-11-14 23:13Z") && text.contains("2023-11-15 00:13Z"))
        #expect(!text.contains("500 ms"))
    }

    @Test func nothingKnownIsNoPlot() {
        #expect(!latencyPlot([PlotStep()], from: start, to: start + .seconds(60), style: style(80)).contains("to p50"))
        #expect(!latencyPlot([], from: start, to: start, style: style(80)).contains("to p50"))
    }

    @Test func anOpenIncidentSaysSoAndAClosedOneHowItEnded() {
        let target = TargetIdentity(clientID: "c", key: "t")
        var incident = Incident(
            target: target, startedAt: start, confirmedAt: start, reason: .statusUnexpected, httpStatus: 503, failedProbes: 3)
        let open = IncidentLine(target: "Stripe\u{1b}", region: "eu", incident: incident)
        (incident.endedAt, incident.closedAs) = (start + .seconds(90), .recovered)
        let closed = IncidentLine(target: "Other", region: "us", incident: incident)
        let text = incidentTable([open, closed], now: start + .seconds(600), style: style(140))
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.count == 3)
        #expect(lines[1].hasPrefix(#"Stripe\u{1b}"#) && lines[1].contains("2023-11-14 22:13:20Z") && lines[1].contains("10 min"))
        #expect(lines[1].contains("open") && lines[1].hasSuffix("status_unexpected: HTTP 503"))
        #expect(lines[2].contains("1 min 30 s") && lines[2].contains("recovered"))
        #expect(incidentTable([], now: start, style: style(80)) == "No incidents.\n")
    }
}
