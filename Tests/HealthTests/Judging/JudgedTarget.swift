import Health
import Testing

/// One target before its judge: results go in as letters, one a probe, and statuses come out as letters.
///
/// Results: `g` good, `p` poor because slow, `c` poor because its certificate expires soon, `b` bad because refused, `a` answered 401,
/// `u` its URL is invalid, `v` void. Statuses: `?` unknown, `U` up, `~` degraded, `D` down.
struct JudgedTarget {
    var judge = Judge()
    var policy = ProbePolicy()
    var now = Timestamp(milliseconds: 1_700_000_000_000)
    var step: Duration = .seconds(5)

    static let target = TargetIdentity(clientID: "client", key: "tgt_1")

    mutating func see(_ letters: String) -> [Judgement] {
        letters.map { letter in
            now = now + step
            return judge.judge(Self.result(letter, at: now), policy: policy)
        }
    }

    /// The judgement of the last of `letters`.
    mutating func last(_ letters: String) throws -> Judgement {
        let seen = see(letters).last
        return try #require(seen)
    }

    mutating func statuses(after letters: String) -> String {
        String(see(letters).map { Self.letter(of: $0.status) })
    }

    static func result(_ letter: Character, at moment: Timestamp) -> ProbeResult {
        var facts = ResponseFacts()
        if letter == "a" { facts.httpStatus = 401 }
        return ProbeResult(
            target: target, startedAt: moment, duration: .milliseconds(20), outcome: outcome(letter),
            void: letter == "v" ? .tainted : nil, sentence: "seen \(letter)", facts: facts)
    }

    static func outcome(_ letter: Character) -> Outcome {
        switch letter {
        case "g": .good
        case "p": .poor(.slow)
        case "c": .poor(.certificateExpiring)
        case "a": .bad(.statusUnexpected)
        case "u": .bad(.urlInvalid)
        default: .bad(.connectRefused)
        }
    }

    static func letter(of status: Status) -> Character {
        switch status {
        case .unknown: "?"
        case .up: "U"
        case .degraded: "~"
        case .down: "D"
        }
    }
}
