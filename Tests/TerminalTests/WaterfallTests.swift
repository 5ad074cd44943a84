import Health
import Terminal
import Testing

struct WaterfallTests {
    private func style(_ width: Int, unicode: Bool = true, colour: Bool = false) -> TerminalStyle {
        TerminalStyle(width: width, height: 24, hasColour: colour, isInteractive: unicode, isUnicode: unicode)
    }

    private static let good: ProbeView = {
        var facts = ResponseFacts()
        facts.httpStatus = 200
        facts.httpVersion = 1.1
        facts.tlsVersion = .tls13
        facts.address = "192.0.2.7"
        facts.certificateExpiry = Timestamp("2026-05-01T00:00:00Z")
        facts.uncompressedBodyLength = 512
        let phases = Phases(
            dns: .microseconds(2100), connect: .milliseconds(20), tls: .milliseconds(40), processing: .microseconds(80_400),
            transfer: .microseconds(500))
        return ProbeView(
            method: "GET", url: "https://api.example.com/v1/health",
            result: ProbeResult(
                target: TargetIdentity(clientID: "", key: ""), startedAt: Timestamp(milliseconds: 0),
                duration: .milliseconds(143),
                outcome: .good, phases: phases, facts: facts))
    }()

    private static let refused = ProbeView(
        method: "GET", url: "http://127.0.0.1:1/",
        result: ProbeResult(
            target: TargetIdentity(clientID: "", key: ""), startedAt: Timestamp(milliseconds: 0), duration: .microseconds(300),
            outcome: .bad(.connectRefused), sentence: "Nothing listens on port 1.", phases: Phases(connect: .microseconds(300))))

    @Test func drawsThePhasesOneAfterTheOther() {
        #expect(
            waterfall(Self.good, style: style(80)) == """
                GET https://api.example.com/v1/health                        200  ● good  143 ms
                  resolve         2.1 ms ▕█                                                    ▏
                  connect        20.0 ms ▕ ███████                                             ▏
                  tls            40.0 ms ▕        ███████████████                              ▏
                  processing     80.4 ms ▕                       ██████████████████████████████▏
                  transfer        500 µs ▕                                                    █▏
                  to 192.0.2.7, HTTP/1.1, TLS 1.3, 512 bytes

                """)
    }

    @Test func isASCIIWhereItMustBe() {
        #expect(
            waterfall(Self.good, style: style(60, unicode: false)) == """
                GET https://api.example.com/v1/health    200  + good  143 ms
                  resolve         2.1 ms |#                                |
                  connect        20.0 ms |#####                            |
                  tls            40.0 ms |     #########                   |
                  processing     80.4 ms |              ###################|
                  transfer        500 us |                                #|
                  to 192.0.2.7, HTTP/1.1, TLS 1.3, 512 bytes

                """)
    }

    @Test func leavesTheBarsOutWhereThereIsNoRoom() {
        #expect(
            waterfall(Self.good, style: style(36)) == """
                GET https://ap…  200  ● good  143 ms
                  resolve         2.1 ms
                  connect        20.0 ms
                  tls            40.0 ms
                  processing     80.4 ms
                  transfer        500 µs
                  to 192.0.2.7, HTTP/1.1, TLS 1.3,
                  512 bytes

                """)
    }

    @Test func aFailureShowsItsReasonAndWhatToDo() {
        #expect(
            waterfall(Self.refused, style: style(70)) == """
                GET http://127.0.0.1:1/                  ✗ bad connect_refused  300 µs
                  connect         300 µs ▕███████████████████████████████████████████▏
                  Nothing listens on port 1.

                """)
    }

    private static func certificates(until expiry: String) -> [ProbeView.Certificate] {
        [
            .init(
                subject: "CN=api.example.com", issuer: "CN=R11,O=Let's Encrypt,C=US",
                names: ["api.example.com", "*.api.example.com", "\u{1B}[2J.example.com"],
                beginning: Timestamp("2025-10-01T00:00:00Z"), expiry: Timestamp(expiry)),
            .init(
                subject: "CN=R11,O=Let's Encrypt,C=US", issuer: "CN=ISRG Root X1", names: [], beginning: nil,
                expiry: Timestamp("2027-03-12T00:00:00Z")),
        ]
    }

    private static func answer(_ outcome: Outcome, until expiry: String) -> ProbeView {
        var view = good
        (view.result.startedAt, view.result.phases) = (Timestamp("2025-12-31T12:00:00Z") ?? view.result.startedAt, Phases())
        (view.result.outcome, view.certificates) = (outcome, certificates(until: expiry))
        return view
    }

    @Test func showsTheCertificateAndHowManyDaysAreLeft() {
        #expect(
            waterfall(Self.answer(.good, until: "2026-03-31T00:00:00Z"), style: style(60)) == """
                GET https://api.example.com/v1/health    200  ● good  143 ms
                  to 192.0.2.7, HTTP/1.1, TLS 1.3, 512 bytes
                  certificate  CN=api.example.com
                  names        api.example.com, *.api.example.com,
                               \\u{1b}[2J.example.com
                  issuer       CN=R11,O=Let's Encrypt,C=US
                  valid        2025-10-01 to 2026-03-31, 89 days left
                  chain        CN=R11,O=Let's Encrypt,C=US, until
                               2027-03-12, 435 days left

                """)
    }

    @Test(arguments: [
        (
            Outcome.bad(.certificateExpired), "2025-12-31T09:00:00Z",
            "\u{1B}[31m2025-10-01 to 2025-12-31, expired 3 h ago\u{1B}[0m"
        ),
        (.poor(.certificateExpiring), "2026-01-05T12:00:00Z", "\u{1B}[33m2025-10-01 to 2026-01-05, 5 days left\u{1B}[0m"),
        (.good, "2026-01-01T12:00:00Z", "valid        2025-10-01 to 2026-01-01, 24 h left\n"),
    ])
    func whatIsWrongWithACertificateIsInColour(outcome: Outcome, until expiry: String, wanted: String) {
        #expect(waterfall(Self.answer(outcome, until: expiry), style: style(80, colour: true)).contains(wanted))
    }

    @Test func showsEachHopWithItsStatus() {
        var view = Self.good
        view.result.phases = Phases()
        view.hops = [.init(url: "http://a.test/", status: 301), .init(url: "https://a.test/\u{202E}", status: nil)]
        let shown = waterfall(view, style: style(80))
        #expect(shown.contains("  redirects    301 http://a.test/\n               no answer https://a.test/\\u{202e}\n"))
    }

    @Test func aVoidResultIsCalledVoid() {
        var view = Self.refused
        view.result.void = .tainted
        #expect(waterfall(view, style: style(70)).contains("void tainted"))
    }

    @Test func aLongURLGivesWayToTheVerdict() {
        var view = Self.good
        view.url += String(repeating: "/long", count: 40)
        let first = waterfall(view, style: style(80)).split(separator: "\n").first.map(String.init) ?? ""
        #expect(displayWidth(first) == 80)
        #expect(first.hasSuffix("…  200  ● good  143 ms"))
    }
}
