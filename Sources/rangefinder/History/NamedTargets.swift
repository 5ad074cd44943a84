import Health
import History
import Settings

/// The targets of a database that a word means: by their id, or else by their name.
struct NamedTargets {
    let all: [Target]
    private let word: String
    /// The names that there are, where the word means none.
    private let names: [String]

    init(_ word: String, client: String?, _ reader: HistoryReader) throws(HistoryError) {
        self.word = word
        all = try reader.targets(matching: word, client: client)
        names = try all.isEmpty ? reader.persistedLists().values.joined().map(\.name) : []
    }

    var one: Target? { all.count == 1 ? all.first : nil }

    func only() throws -> Target {
        if let one { return one }
        guard !all.isEmpty else {
            throw Failure(
                .usage, "no target has the name or id \(displayText(word))\(didYouMean(word, names) ?? "; `status` lists them")")
        }
        if Set(all.map(\.identity.key)).count < all.count {
            let clients = all.prefix(8).map { displayText($0.identity.clientID) }.joined(separator: ", ")
            throw Failure(.usage, "several clients have a target \(displayText(word)); give --client, one of: \(clients)")
        }
        let ids = all.prefix(8).map { displayText($0.identity.key) }.joined(separator: ", ")
        throw Failure(.usage, "\(counted(all.count, "target")) have the name \(displayText(word)); give the id of one: \(ids)")
    }
}

/// The end of a sentence that says that there is no such name; nil where no name is near.
func didYouMean(_ word: String, _ names: [String]) -> String? {
    nearest(to: word, among: names).map { "; did you mean \(displayText($0))?" }
}
