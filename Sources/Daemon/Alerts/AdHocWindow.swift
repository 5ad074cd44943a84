package import Health
import Pages
import Settings

/// A maintenance window that somebody began by hand. It is kept in the database, and holds over restarts.
package struct AdHocWindow: Hashable, Sendable {
    package static let kind = "maintenance"
    static let longest = Duration.seconds(31 * 86_400)
    static let noteMax = 500
    /// So long a window that is over keeps its number, so that nobody ends another one by a page from before. A wall clock that jumped ahead is
    /// right again by then.
    static let keptAfterEnd = Duration.seconds(86_400)

    package var id: Int
    /// As ``Settings/Match/init(words:)`` reads them.
    package var words: [String]
    package var from: Timestamp
    package var to: Timestamp
    package var note: String

    package init(id: Int, words: [String], from: Timestamp, to: Timestamp, note: String) {
        (self.id, self.words, self.from, self.to, self.note) = (id, words, from, to, note)
    }

    /// A document as it is kept; nil of what is none.
    package init?(_ id: StoredDocument.ID, _ text: String) {
        guard id.kind == Self.kind, let number = Int(id.key) else { return nil }
        var fields: [String: [String]] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let value = percentDecoded(parts[1]) else { return nil }
            fields[String(parts[0]), default: []].append(value)
        }
        guard let from = fields["from"]?.first.flatMap({ Int64($0) }), let to = fields["to"]?.first.flatMap({ Int64($0) }) else {
            return nil
        }
        self.init(
            id: number, words: fields["match"] ?? [], from: Timestamp(milliseconds: from),
            to: Timestamp(milliseconds: max(from, to)),
            note: fields["note"]?.first ?? "")
    }

    /// What ``init(_:_:)`` reads: a form's fields.
    var document: StoredDocument {
        let fields =
            words.map { "match=\(percentEncoded($0))" } + [
                "from=\(from.milliseconds)", "to=\(to.milliseconds)", "note=\(percentEncoded(note))",
            ]
        return StoredDocument(kind: Self.kind, key: "\(id)", text: fields.joined(separator: "&"))
    }

    var forgetting: StoredDocument { StoredDocument(forgetting: Self.kind, key: "\(id)") }

    /// What it matches, as a person reads it.
    package var shownMatch: String { words.map { displayText($0, limit: 80) }.joined(separator: ", ") }
}
