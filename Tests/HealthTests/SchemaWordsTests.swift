import Foundation
import Health
import Testing

private let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

@Test func everyReasonAndCauseIsInTheSchemasOfTheJSON() throws {
    for words in [Set(Reason.allCases.map(\.rawValue)), Set(Cause.allCases.map(\.rawValue))] {
        var lists = 0
        for name in ["history", "incidents", "probe", "replay", "status"] {
            let file = "docs/json/\(name).schema.json"
            let schema = try JSONSerialization.jsonObject(with: Data(contentsOf: repository.appending(path: file)))
            for list in enumerations(in: schema) where !list.isDisjoint(with: words) {
                lists += 1
                #expect(list == words, "\(file) has \(list.subtracting(words)) too much and lacks \(words.subtracting(list))")
            }
        }
        #expect(lists >= 3)
    }
}

/// The texts of every `enum` of a JSON Schema. null, which some allow, too, is left out.
private func enumerations(in schema: Any) -> [Set<String>] {
    if let list = schema as? [Any] { return list.flatMap { enumerations(in: $0) } }
    guard let members = schema as? [String: Any] else { return [] }
    let own = (members["enum"] as? [Any]).map { Set($0.compactMap { $0 as? String }) }
    return (own.map { [$0] } ?? []) + members.values.flatMap { enumerations(in: $0) }
}
