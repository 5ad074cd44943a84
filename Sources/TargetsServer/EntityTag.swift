internal import Health
internal import TargetsAPI

/// What tells one state of something from another (RFC 9110, section 8.8.3).
struct EntityTag: Hashable, Sendable {
    let text: String

    /// - Parameter opaque: letters, digits and hyphens.
    init(_ opaque: String) { text = "\"\(opaque)\"" }

    /// Of one target: no two states of it have the same time of change.
    init(_ record: TargetRecord) { self.init("\(record.updatedAt?.milliseconds ?? 0)") }

    /// Whether the values of `If-Match` or `If-None-Match` name it, or anything. A list of tags, weak ones compared as strong ones.
    func isIn(_ values: [String]) -> Bool {
        values.flatMap { $0.split(separator: ",") }.contains { part in
            let tag = part.filter { $0 != " " && $0 != "\t" }
            return tag == "*" || tag == text || tag == "W/" + text
        }
    }
}
