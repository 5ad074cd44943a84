internal import FoundationEssentials
import Health

/// What stands at one place of a JSON document.
///
/// Foundation's decoder refuses what is nested more than 512 deep, so a hostile body can't exhaust the stack.
enum JSONPlace: Hashable {
    case scalar(JSONScalar)
    /// An object or an array.
    case compound
    case absent
    /// A number past what a Double holds, or a text that breaks JSON's own rules.
    case unreadable
    case notJSON

    static func find(_ path: JSONPath, in body: [UInt8]) -> JSONPlace {
        (try? JSONDecoder().decode(Found.self, from: Data(body), configuration: path))?.place ?? .notJSON
    }
}

/// Decodes only what lies on the way.
private struct Found: DecodableWithConfiguration {
    let place: JSONPlace

    init(from decoder: any Decoder, configuration path: JSONPath) throws {
        place = (try? Self.descend(decoder, path.steps[...])) ?? .absent
    }

    /// Throws where the path leads to nothing.
    private static func descend(_ decoder: any Decoder, _ steps: ArraySlice<JSONPath.Step>) throws -> JSONPlace {
        guard let step = steps.first else { return try value(of: decoder) }
        switch step {
        case .member(let name):
            let container = try decoder.container(keyedBy: Name.self)
            // Asked for a key that isn't there, Foundation answers with a null.
            guard container.contains(Name(stringValue: name)) else { return .absent }
            return try descend(try container.superDecoder(forKey: Name(stringValue: name)), steps.dropFirst())
        case .index(let index):
            var container = try decoder.unkeyedContainer()
            let count = container.count ?? 0
            let wanted = index < 0 ? count + index : index
            guard (0..<count).contains(wanted) else { return .absent }
            for _ in 0..<wanted { _ = try container.superDecoder() }
            return try descend(try container.superDecoder(), steps.dropFirst())
        }
    }

    private static func value(of decoder: any Decoder) throws -> JSONPlace {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() { return .scalar(.null) }
        if let value = try? container.decode(Bool.self) { return .scalar(.boolean(value)) }
        if let value = try? container.decode(Double.self) { return .scalar(.number(value)) }
        if let value = try? container.decode(String.self) { return .scalar(.text(value)) }
        let isObject = (try? decoder.container(keyedBy: Name.self)) != nil
        return isObject || (try? decoder.unkeyedContainer()) != nil ? .compound : .unreadable
    }
}

/// Any key.
private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
