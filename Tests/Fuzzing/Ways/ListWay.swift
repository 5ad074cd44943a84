import Curl
import Daemon
import Health
import TargetsAPI

/// The Targets API is asked, over the daemon's own transport, and what it says becomes a list of targets.
struct ListWay: Sendable {
    let engine: TransferEngine
    let timeout: Duration

    func run(_ fuzzed: Case, origin: String) async -> Seen {
        var dice = fuzzed.dice
        let transport = apiTransport(baseURL: origin, userAgent: "rangefinder/fuzz", over: engine)
        let client = TargetsClient(
            clientID: "c", token: Secret(Case.secret), maxList: dice.one(of: [1 << 20, 1 << 20, 1000]), timeout: timeout,
            transport: transport)
        var complaints: [String] = []
        let word: String
        var sentence = ""
        do throws(APIError) {
            word = try await ask(client, &dice, &complaints)
        } catch {
            (word, sentence) = (error.code.rawValue, error.explanation)
            if error.code == .cancelled || error.code == .tokenUnusable {
                complaints.append("it is called \(error.code): \(sentence)")
            }
            if fuzzed.isHonest, error.code == .transportFailed {
                complaints.append("an answer that is as it should be fails: \(sentence)")
            }
            if let problem = problem(ofShown: sentence) {
                complaints.append("the explanation \(problem): \(escaped(Array(sentence.utf8)))")
            }
        }
        // Each page may take the timeout.
        return Seen(word: word, sentence: sentence, complaints: complaints, requests: fuzzed.answers.count + 1)
    }

    private func ask(_ client: TargetsClient, _ dice: inout Dice, _ complaints: inout [String]) async throws(APIError) -> String {
        switch dice.below(10) {
        case 0: return try await client.get("t").name.isEmpty ? "record without a name" : "record"
        case 1:
            let draft = TargetDraft(name: "n", baseURL: "https://a.example", testPath: "/", region: "eu")
            _ = try await client.create(draft, once: "1")
            return "created"
        case 2:
            _ = try await client.update("t", TargetChange(name: "m"))
            return "updated"
        case 3:
            try await client.delete("t")
            return "deleted"
        case 4:
            guard case .list(let list, let print) = try await client.list(unless: nil) else {
                return "unchanged without a known list"
            }
            check(list, &complaints)
            if list.targets.isEmpty, !list.rejected.isEmpty { complaints.append("records that can't be read make an empty list") }
            guard case .list(let again, _) = try await client.list(unless: print, like: list.targets) else { return "unchanged" }
            check(again, &complaints)
            return "two lists"
        default:
            let list = try await client.list()
            check(list, &complaints)
            return list.targets.isEmpty ? list.rejected.isEmpty ? "empty list" : "list of rejected records" : "list"
        }
    }

    private func check(_ list: TargetList, _ complaints: inout [String]) {
        if Set(list.targets.map(\.identity)).count != list.targets.count { complaints.append("two targets have one identity") }
        for target in list.targets where target.name.utf8.count > Target.nameLimit || target.identity.key.isEmpty {
            complaints.append("a target has a name or a key past its bounds")
        }
        for record in list.rejected {
            // What is read off a record is the API's to say, its own token included.
            let shown = record.description.replacing(Case.secret, with: "")
            if let problem = problem(ofShown: shown) {
                complaints.append("a rejected record \(problem): \(escaped(Array(shown.utf8)))")
            }
        }
        var feed = TargetFeed(shrinkGuard: 0.5)
        if case .held = feed.receive(list) { complaints.append("a first list is held") }
    }
}
