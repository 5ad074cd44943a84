/// What another room remembers across restarts in words of its own, which History only keeps. (kind, key) identifies it.
package struct StoredDocument: Hashable, Sendable {
    package struct ID: Hashable, Sendable {
        package var kind: String
        package var key: String
        package init(kind: String, key: String) {
            self.kind = kind
            self.key = key
        }
    }

    package var id: ID
    /// nil: it is forgotten.
    package var text: String?

    package init(kind: String, key: String, text: String?) {
        id = ID(kind: kind, key: key)
        self.text = text
    }
}
