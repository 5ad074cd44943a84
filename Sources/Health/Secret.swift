/// A value that must never be shown: printing, interpolating or reflecting it gives a fixed text.
package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    package init(_ value: String) { self.value = value }

    package var description: String { "[secret]" }
    package var debugDescription: String { "[secret]" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// The value itself, for the one place that puts it on the wire.
    package func reveal() -> String { value }
}

/// A text of the configuration that may come from a secret file or variable.
package enum PolicyText: Hashable, Sendable {
    case plain(String)
    case secret(Secret)

    package var revealed: String {
        switch self {
        case .plain(let text): text
        case .secret(let secret): secret.reveal()
        }
    }
    package var isSecret: Bool {
        if case .secret = self { true } else { false }
    }
}
