/// Shows a text that changes: in place on a terminal, frame after frame elsewhere.
///
/// A frame is written over the last one and what is left of that is cleared, so that nothing flickers.
package struct LiveScreen: Sendable {
    /// Of the next frame: a window may change its size between two.
    package var style: TerminalStyle {
        didSet { isNew = isNew || style != oldValue }
    }
    private var frames = 0
    /// Whether what stands there is not of a frame of this size.
    private var isNew = true

    package init(style: TerminalStyle) { self.style = style }

    /// What to write for the next frame. `text` is what a drawing function returned: lines that fit the width.
    package mutating func frame(_ text: String) -> String {
        frames += 1
        guard style.isInteractive else { return frames == 1 ? text : "\n" + text }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        // One line stays free, or the terminal would scroll the first away.
        let room = max(1, style.height - 1)
        let visible = lines.prefix(room)
        defer { isNew = false }
        // The first frame of a size clears the screen, the others start at its top; each line clears what stood behind it, and the last
        // one what is below.
        let start = isNew ? "\u{1B}[?25l\u{1B}[2J\u{1B}[H" : "\u{1B}[H"
        return start + visible.map { $0 + "\u{1B}[K\n" }.joined() + "\u{1B}[J"
    }

    /// What to write at the end: the cursor comes back, and the terminal's own `^C` goes.
    package func end() -> String { style.isInteractive && frames > 0 ? "\r\u{1B}[K\u{1B}[?25h" : "" }
}
