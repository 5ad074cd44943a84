internal import Health
internal import TargetsAPI

/// What tells one state of something from another (RFC 9110, section 8.8.3).
struct EntityTag: Hashable, Sendable {
    let text: String

    /// - Parameter opaque: letters, digits and hyphens.
    init(_ opaque: String) { text = "\"\(opaque)\"" }

    /// Of one target: no two states of it have the same time of change.
    init(_ record: TargetRecord) { self.init("\(record.updatedAt?.milliseconds ?? 0)") }

    /// Whether the values of `If-Match` or `If-None-Match` name it, or anything.
    ///
    /// - Parameter weakly: as `If-None-Match` compares (RFC 9110, section 8.8.3.2): a weak tag is as good.
    func isIn(_ values: [String], weakly: Bool = false) -> Bool {
        // Between quotes a comma is part of a tag: every second piece is one.
        let pieces = values.joined(separator: ",").split(separator: "\"", omittingEmptySubsequences: false)
        if pieces.count == 1 { return pieces[0].filter { $0 != " " && $0 != "\t" } == "*" }
        return pieces.indices.contains { index in
            index % 2 == 1 && text == "\"\(pieces[index])\"" && (weakly || !pieces[index - 1].hasSuffix("W/"))
        }
    }
}
