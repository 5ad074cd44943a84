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
        facts.tlsVersion = "TLSv1.3"
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
                GET https://api.example.com/v1/health                          200  ● up  143 ms
                  resolve         2.1 ms ▕█                                                    ▏
                  connect        20.0 ms ▕ ███████                                             ▏
                  tls            40.0 ms ▕        ███████████████                              ▏
                  processing     80.4 ms ▕                       ██████████████████████████████▏
                  transfer        500 µs ▕                                                    █▏
                  to 192.0.2.7, HTTP/1.1, TLSv1.3, certificate until 2026-05-01, 512 bytes

                """)
    }

    @Test func isASCIIWhereItMustBe() {
        #expect(
            waterfall(Self.good, style: style(60, unicode: false)) == """
                GET https://api.example.com/v1/health      200  + up  143 ms
                  resolve         2.1 ms |#                                |
                  connect        20.0 ms |#####                            |
                  tls            40.0 ms |     #########                   |
                  processing     80.4 ms |              ###################|
                  transfer        500 us |                                #|
                  to 192.0.2.7, HTTP/1.1, TLSv1.3, certificate until 2026-0~

                """)
    }

    @Test func leavesTheBarsOutWhereThereIsNoRoom() {
        #expect(
            waterfall(Self.good, style: style(36)) == """
                GET https://api.…  200  ● up  143 ms
                  resolve         2.1 ms
                  connect        20.0 ms
                  tls            40.0 ms
                  processing     80.4 ms
                  transfer        500 µs
                  to 192.0.2.7, HTTP/1.1, TLSv1.3, …

                """)
    }

    @Test func aFailureShowsItsReasonAndWhatToDo() {
        #expect(
            waterfall(Self.refused, style: style(70)) == """
                GET http://127.0.0.1:1/                 ✗ down connect_refused  300 µs
                  connect         300 µs ▕███████████████████████████████████████████▏
                  Nothing listens on port 1.

                """)
    }

    @Test func aVoidResultIsCalledVoid() {
        var view = Self.refused
        view.result.void = .tainted
        #expect(waterfall(view, style: style(70)).contains("void: tainted"))
    }

    @Test func aLongURLGivesWayToTheVerdict() {
        var view = Self.good
        view.url += String(repeating: "/long", count: 40)
        let first = waterfall(view, style: style(80)).split(separator: "\n").first.map(String.init) ?? ""
        #expect(displayWidth(first) == 80)
        #expect(first.hasSuffix("…  200  ● up  143 ms"))
    }
}
