import Health
import Terminal
import Testing

struct StyleTests {
    private func style(_ environment: [String: String], isTerminal: Bool = true, width: Int = 100) -> TerminalStyle {
        TerminalStyle.detect(isTerminal: isTerminal, width: width, height: 30) { environment[$0] }
    }

    @Test func aTerminalWithAUTF8LocaleHasEverything() {
        let expected = TerminalStyle(width: 100, height: 30, hasColour: true, isInteractive: true, isUnicode: true)
        #expect(style(["TERM": "xterm-256color", "LANG": "C.UTF-8"]) == expected)
    }

    @Test func aPipeGetsPlainText() {
        #expect(style(["TERM": "xterm", "LANG": "C.UTF-8"], isTerminal: false, width: 0).isInteractive == false)
        #expect(
            style(["LANG": "C.UTF-8"], isTerminal: false, width: 0)
                == TerminalStyle(
                    width: 120, height: 40, hasColour: false, isInteractive: false, isUnicode: false, isCut: false))
    }

    @Test func noColorTakesOnlyTheColour() {
        let style = style(["TERM": "xterm", "LANG": "en_US.utf8", "NO_COLOR": "1"])
        #expect(!style.hasColour)
        #expect(style.isInteractive && style.isUnicode)
    }

    @Test func anEmptyNoColorIsNotSet() {
        #expect(style(["TERM": "xterm", "NO_COLOR": ""]).hasColour)
    }

    @Test func columnsOverridesTheMeasuredWidth() {
        #expect(style(["TERM": "xterm", "COLUMNS": "72"]).width == 72)
        #expect(style(["TERM": "xterm", "COLUMNS": "nonsense"]).width == 100)
    }

    @Test func aDumbTerminalIsNotDrawnOver() {
        let style = style(["TERM": "dumb", "LANG": "C.UTF-8"])
        #expect(!style.isInteractive && !style.hasColour && !style.isUnicode)
    }

    @Test func theLocaleThatIsSetFirstDecides() {
        #expect(!style(["TERM": "xterm", "LC_ALL": "C", "LANG": "C.UTF-8"]).isUnicode)
    }

    @Test func aDescriptorThatIsNoTerminalIsNotInteractive() {
        #expect(!TerminalStyle.detect(descriptor: -1).isInteractive)
    }

    @Test func aStatusIsAlwaysSymbolAndWord() {
        let unicode = TerminalStyle(width: 80, height: 24, hasColour: true, isInteractive: true, isUnicode: true)
        #expect(Status.allCases.map(unicode.words) == ["○ unknown", "● up", "▲ degraded", "✗ down"])
        #expect(Status.allCases.map(TerminalStyle.plain.words) == ["? unknown", "+ up", "! degraded", "x down"])
    }
}
