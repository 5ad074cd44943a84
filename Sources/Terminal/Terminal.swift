// Terminal: what a person sees in a terminal.
// What lives here: tables, the waterfall of a probe, colour, the width of text, durations and ages in words, redrawing in place.
// What doesn't: deciding anything, JSON, reading keys. Pure functions take a `TerminalStyle` and return strings.
// The commands of `rangefinder` fill the rows from Health's values and print what comes back.
// Foreign text comes in as it is and leaves through Health's `displayText`.

import Glibc

/// What the place that is written to can show.
package struct TerminalStyle: Hashable, Sendable {
    /// Columns. On a terminal nothing that is drawn to fit is wider.
    package var width: Int
    package var height: Int
    package var hasColour: Bool
    /// Whether a person looks on, and a frame may be drawn over the last one.
    package var isInteractive: Bool
    /// Whether symbols past ASCII can be shown.
    package var isUnicode: Bool
    /// Whether what is wider is cut. Off a terminal nothing is: a program reads it, and half an id is none.
    package var isCut: Bool

    package init(
        width: Int, height: Int, hasColour: Bool, isInteractive: Bool, isUnicode: Bool, isCut: Bool = true
    ) {
        self.isCut = isCut
        self.width = width
        self.height = height
        self.hasColour = hasColour
        self.isInteractive = isInteractive
        self.isUnicode = isUnicode
    }

    /// For a file or a pipe.
    package static let plain = TerminalStyle(
        width: 120, height: 40, hasColour: false, isInteractive: false, isUnicode: false, isCut: false)

    /// Asks the kernel about a descriptor, and the environment about a person's wishes: `NO_COLOR` (no-color.org), `COLUMNS`,
    /// `TERM`, and the locale.
    package static func detect(descriptor: Int32) -> TerminalStyle {
        var size = winsize()
        let isTerminal = isatty(descriptor) == 1
        let hasSize = isTerminal && ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0
        return detect(
            isTerminal: isTerminal,
            width: hasSize ? Int(size.ws_col) : 0,
            height: hasSize ? Int(size.ws_row) : 0,
            environment: { name in getenv(name).map { String(cString: $0) } })
    }

    /// The rules of ``detect(descriptor:)``; a width or height of 0 is not known.
    package static func detect(
        isTerminal: Bool, width: Int, height: Int, environment: (String) -> String?
    ) -> TerminalStyle {
        func value(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }
        let isDumb = value("TERM") == "dumb" || (isTerminal && value("TERM") == nil)
        // The first of these that is set decides, as setlocale(3) says.
        let locale = (value("LC_ALL") ?? value("LC_CTYPE") ?? value("LANG") ?? "").lowercased()
        let columns = value("COLUMNS").flatMap { Int($0) }.flatMap { (20...1000).contains($0) ? $0 : nil }
        let measured = isTerminal && width > 0 ? min(max(width, 20), 1000) : nil
        return TerminalStyle(
            width: columns ?? measured ?? (isTerminal ? 80 : plain.width),
            height: isTerminal && height > 0 ? height : isTerminal ? 24 : plain.height,
            hasColour: isTerminal && !isDumb && value("NO_COLOR") == nil,
            isInteractive: isTerminal && !isDumb,
            isUnicode: isTerminal && !isDumb && (locale.contains("utf-8") || locale.contains("utf8")),
            isCut: isTerminal)
    }
}
