import Pages

/// What somebody asks for by hand: the fields of a form, or of a command.
package enum HandRequest: Hashable, Sendable {
    package struct Maintenance: Hashable, Sendable {
        /// A pattern each, as in `name=Stripe *`.
        package var match: [String]
        /// As in `2h`.
        package var length: String
        package var note: String

        package init(match: [String], length: String, note: String) {
            (self.match, self.length, self.note) = (match, length, note)
        }
    }

    package struct Note: Hashable, Sendable {
        package var incident: Int64
        package var text: String
        package var isPublic: Bool

        package init(incident: Int64, text: String, isPublic: Bool) {
            (self.incident, self.text, self.isPublic) = (incident, text, isPublic)
        }
    }

    case begin(Maintenance)
    case end(window: Int)
    case note(Note)

    /// Of `POST /-/maintenance`: `end=ID`, or `for=2h` with `match` once or several times, and `note`.
    ///
    /// - Returns: nil when the fields are none of these.
    static func maintenance(_ fields: FormFields) -> HandRequest? {
        if let end = fields["end"] { return Int(end).map { .end(window: $0) } }
        guard let length = fields["for"] else { return nil }
        return .begin(Maintenance(match: fields.all("match"), length: length, note: fields["note"] ?? ""))
    }

    /// Of `POST /-/notes`: `incident`, `text`, and from a command `public=1`. A form never makes anything public.
    static func note(_ fields: FormFields, isForm: Bool) -> HandRequest? {
        guard let incident = fields["incident"].flatMap({ Int64($0) }), let text = fields["text"] else { return nil }
        return .note(Note(incident: incident, text: text, isPublic: !isForm && fields["public"] == "1"))
    }
}

/// The fields of a form (application/x-www-form-urlencoded).
struct FormFields {
    private let fields: [(name: String, value: String)]

    /// nil of bytes that are no such fields.
    init?(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self), let fields = QueryFields.read(text) else { return nil }
        self.fields = fields
    }

    subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
    func all(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
}
