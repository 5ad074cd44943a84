import Health

/// A node of the file, with its location and the words that name it in a message.
struct Value: Sendable {
    enum Content: Sendable {
        case null
        /// A scalar without quotes, which may mean a number or a truth value.
        case plain(String)
        case quoted(String)
        case list([Value])
        case mapping([Entry])
    }

    struct Entry: Sendable {
        var name: String
        var location: SourceLocation
        var value: Value
    }

    var location: SourceLocation
    /// As in `'interval'` or `an entry of 'regions'`.
    var label: String
    var content: Content

    /// A scalar's text, quoted or not.
    var text: String? {
        switch content {
        case .plain(let text), .quoted(let text): text
        default: nil
        }
    }

    var isNull: Bool {
        if case .null = content { true } else { false }
    }

    /// As ``kindName``, of what may be a secret: a token's file that was named by mistake is one text.
    var shapeName: String { text == nil ? kindName : "a text" }

    /// What it is instead of what was wanted.
    var kindName: String {
        switch content {
        case .null: "nothing"
        case .plain(let text): shown(text)
        case .quoted(let text): "the text \(shown(text))"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// A text of the file as it stands in a message.
func shown(_ text: String) -> String { "'\(displayText(text, limit: 64))'" }
