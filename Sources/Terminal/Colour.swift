package import Health

/// The colours of a terminal's own palette, so that they suit its background.
package enum Colour: Int, Hashable, Sendable {
    case red = 31
    case green = 32
    case yellow = 33
    case blue = 34
    case cyan = 36
    case dim = 2
    case bold = 1
}

extension TerminalStyle {
    /// A text in a colour, where there is any. The text must be safe already.
    package func coloured(_ text: String, _ colour: Colour?) -> String {
        guard hasColour, let colour, !text.isEmpty else { return text }
        return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
    }

    /// A symbol and the word: colour alone would leave out those who can't see it.
    package func words(for status: Status) -> String {
        let symbol =
            switch status {
            case .up: isUnicode ? "●" : "+"
            case .degraded: isUnicode ? "▲" : "!"
            case .down: isUnicode ? "✗" : "x"
            case .unknown: isUnicode ? "○" : "?"
            }
        return "\(symbol) \(status.rawValue)"
    }

    package func colour(of status: Status) -> Colour {
        switch status {
        case .up: .green
        case .degraded: .yellow
        case .down: .red
        case .unknown: .dim
        }
    }
}
