import Terminal
import Testing

struct LiveScreenTests {
    private let terminal = TerminalStyle(width: 80, height: 4, hasColour: false, isInteractive: true, isUnicode: true)

    @Test func theFirstFrameClearsTheScreenAndTheNextDrawOverIt() {
        var screen = LiveScreen(style: terminal)
        #expect(screen.frame("a\n") == "\u{1B}[?25l\u{1B}[2J\u{1B}[Ha\u{1B}[K\n\u{1B}[J")
        #expect(screen.frame("b\n\nc\n") == "\u{1B}[Hb\u{1B}[K\n\u{1B}[K\nc\u{1B}[K\n\u{1B}[J")
        #expect(screen.end() == "\r\u{1B}[K\u{1B}[?25h")
    }

    @Test func aFrameNeverScrollsTheScreen() {
        var screen = LiveScreen(style: terminal)
        #expect(screen.frame("1\n2\n3\n4\n5\n").filter { $0 == "\n" }.count == 3)
    }

    @Test func aWindowOfAnotherSizeIsClearedOnce() {
        var screen = LiveScreen(style: terminal)
        _ = screen.frame("a\n")
        screen.style.width = 40
        #expect(screen.frame("b\n").hasPrefix("\u{1B}[?25l\u{1B}[2J"))
        #expect(screen.frame("c\n").hasPrefix("\u{1B}[Hc"))
    }

    @Test func elsewhereFramesFollowEachOther() {
        var screen = LiveScreen(style: .plain)
        #expect(screen.frame("a\n") + screen.frame("b\n") + screen.end() == "a\n\nb\n")
    }
}
