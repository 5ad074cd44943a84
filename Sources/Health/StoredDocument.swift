/// What another module remembers across restarts in words of its own, which History only keeps. (kind, key) identifies it.
package struct StoredDocument: Sendable {
    package struct ID: Hashable, Sendable {
        package var kind: String
        package var key: String
        package init(kind: String, key: String) {
            self.kind = kind
            self.key = key
        }

        /// By bytes, as the database compares: Swift holds texts for equal that differ by Unicode's normalization.
        package static func == (a: Self, b: Self) -> Bool {
            a.kind.utf8.elementsEqual(b.kind.utf8) && a.key.utf8.elementsEqual(b.key.utf8)
        }

        package func hash(into hasher: inout Hasher) {
            for text in [kind, key] {
                for byte in text.utf8 { hasher.combine(byte) }
                hasher.combine(UInt8(0xff))
            }
        }
    }

    package var id: ID
    /// Made when it is written, because what is remembered may come from a thread that has no time. nil: it is forgotten.
    package var text: (@Sendable () -> String)?

    package init(kind: String, key: String, text: @autoclosure @escaping @Sendable () -> String) {
        id = ID(kind: kind, key: key)
        self.text = text
    }

    package init(forgetting kind: String, key: String) {
        id = ID(kind: kind, key: key)
        text = nil
    }
}
