import Health
import Terminal
import Testing

struct StatusTableTests {
    private static let now = Timestamp(milliseconds: 1_700_000_000_000)
    private static let rows = [
        StatusRow(
            name: "Stripe API", region: "us-east-1", status: .up, since: Timestamp(milliseconds: now.milliseconds - 7_200_000),
            lastProbe: Timestamp(milliseconds: now.milliseconds - 4000), latency: .milliseconds(143)),
        StatusRow(
            name: "支払い\u{1B}[31m", region: "ap-northeast-1", status: .down,
            since: Timestamp(milliseconds: now.milliseconds - 61_000), lastProbe: now, latency: .seconds(10), reason: .timeout,
            sentence: "No answer within 10 s."),
        StatusRow(name: "Brand new", region: "eu", status: .unknown),
    ]

    private func table(width: Int, colour: Bool = false, unicode: Bool = true, limit: Int = .max) -> String {
        statusTable(
            rows: Self.rows, now: Self.now,
            style: TerminalStyle(width: width, height: 24, hasColour: colour, isInteractive: true, isUnicode: unicode),
            limit: limit)
    }

    @Test func aWideTerminalShowsEverything() {
        #expect(
            table(width: 120) == """
                TARGET            REGION          STATUS     LATENCY   PROBED      SINCE  WHY
                Stripe API        us-east-1       ● up        143 ms  4 s ago    2 h ago
                支払い\\u{1b}[31m  ap-northeast-1  ✗ down      10.0 s      now  1 min ago  timeout: No answer within 10 s.
                Brand new         eu              ○ unknown        -        -          -

                3 targets: 1 up, 1 down, 1 unknown

                """)
    }

    @Test func aNarrowTerminalHasTheColumnsThatMatter() {
        #expect(
            table(width: 80) == """
                TARGET            STATUS     LATENCY      SINCE  WHY
                Stripe API        ● up        143 ms    2 h ago
                支払い\\u{1b}[31m  ✗ down      10.0 s  1 min ago  timeout: No answer within 10 s.
                Brand new         ○ unknown        -          -

                3 targets: 1 up, 1 down, 1 unknown

                """)
    }

    @Test func urlsAreCutInTheMiddleAndNoColumnIsEmpty() {
        let rows = ["/api/v1/health", "/api/v1/status"].map {
            StatusRow(name: "127.0.0.1:10998" + $0, region: "", status: .down, reason: .statusUnexpected, sentence: "HTTP 503")
        }
        let style = TerminalStyle(width: 65, height: 24, hasColour: false, isInteractive: true, isUnicode: true)
        #expect(
            statusTable(rows: rows, now: Self.now, style: style) == """
                TARGET               STATUS  LATENCY  WHY
                127.0.0.1…v1/health  ✗ down        -  status_unexpected: HTTP 503
                127.0.0.1…v1/status  ✗ down        -  status_unexpected: HTTP 503

                2 targets: 2 down

                """)
    }

    @Test func withoutUnicodeItIsASCIIButForTheNames() {
        #expect(
            table(width: 80, unicode: false) == """
                TARGET            STATUS     LATENCY      SINCE  WHY
                Stripe API        + up        143 ms    2 h ago
                支払い\\u{1b}[31m  x down      10.0 s  1 min ago  timeout: No answer within 10 s.
                Brand new         ? unknown        -          -

                3 targets: 1 up, 1 down, 1 unknown

                """)
    }

    @Test(arguments: [40, 60, 80])
    func whatATableIsReadForStaysOnANarrowTerminal(_ width: Int) {
        let lines = table(width: width).split(separator: "\n")
        #expect(lines[0].hasPrefix("TARGET") && lines[0].contains("STATUS") && lines[0].hasSuffix("WHY"))
        #expect(lines[2].contains("✗ down") && lines[2].contains("timeout: "))
        #expect(!lines[0].contains("PROBED"))
    }

    @Test func offATerminalNothingIsCut() {
        let name = String(repeating: "n", count: 256)
        let row = StatusRow(
            name: name, region: String(repeating: "r", count: 64), status: .down, reason: .certificateNameMismatch,
            sentence: String(repeating: "s", count: 300))
        let text = statusTable(rows: [row], now: Self.now, style: .plain)
        for whole in [name, row.region, row.sentence] { #expect(text.contains(whole)) }
    }

    @Test func whatCantBeProbedIsCounted() {
        let row = StatusRow(name: "a", region: "eu", status: .unknown, isUnprobeable: true)
        #expect(statusTable(rows: [row], now: Self.now, style: .plain).hasSuffix("\n1 target: 1 unknown; 1 can't be probed\n"))
    }

    @Test(arguments: [20, 33, 50, 64, 79, 80, 100, 200])
    func noLineIsEverWiderThanTheTerminal(_ width: Int) {
        for line in table(width: width).split(separator: "\n").dropLast() {
            #expect(displayWidth(String(line)) <= width)
        }
    }

    @Test func colourMarksTheStatusAndEndsThere() {
        #expect(table(width: 120, colour: true).contains("\u{1B}[31m✗ down\u{1B}[0m "))
    }

    @Test func whatIsNotShownIsCounted() {
        #expect(table(width: 120, limit: 1).contains("and 2 more\n"))
        #expect(table(width: 120, limit: 1).hasSuffix("\n3 targets: 1 up, 1 down, 1 unknown\n"))
    }

    @Test func noTargetsIsSaid() {
        #expect(statusTable(rows: [], now: Self.now, style: .plain) == "No targets.\n")
    }
}
