/// One thing that is tried: a way in, and what the server does with each request that comes of it. The seed and the number decide it.
package struct Case: Sendable {
    /// Who reads what a stranger sends.
    package enum Way: String, Sendable, CaseIterable {
        /// A target: the prober, and redirects.
        case target
        /// The Targets API: its client, and the lists' parser.
        case list
        /// Those who are told: webhooks, Alertmanagers, the heartbeat.
        case receiver
    }

    package let seed: UInt64
    package let number: Int
    package let way: Way
    /// The answers keep to the RFCs, so none of them may be taken for a protocol error.
    package let isHonest: Bool
    /// Answers are in HTTP/2 with prior knowledge.
    package let speaksFrames: Bool
    /// In the order of the requests.
    package private(set) var answers: [Answer] = []
    /// For what else is to be chosen.
    var dice: Dice

    /// Never to be shown, though servers send it back.
    static let secret = "s3cr3t-0f-th3-fuzz3r"
    static let path = "/api/clients/c/targets"

    package init(seed: UInt64, number: Int, origin: String, only way: Way? = nil) {
        (self.seed, self.number) = (seed, number)
        var dice = Dice(seed: seed, number: number)
        isHonest = Self.isHonest(&dice)
        let chosen: Way = dice.one(of: [.target, .target, .target, .target, .list, .list, .receiver])
        self.way = way ?? chosen
        speaksFrames = self.way == .target && dice.once(in: 3)
        self.dice = dice
        let count = self.dice.within(1...4)
        answers = (0..<count).map { _ in answer(origin) }
    }

    private static func isHonest(_ dice: inout Dice) -> Bool { dice.once(in: 10) }

    static func isHonest(seed: UInt64, number: Int) -> Bool {
        var dice = Dice(seed: seed, number: number)
        return isHonest(&dice)
    }

    private mutating func answer(_ origin: String) -> Answer {
        if speaksFrames { return FrameGrammar.answer(location: "/next", isHostile: !isHonest, dice: &dice) }
        var context = HTTPGrammar.Context(origin: origin, path: Self.path, secret: Self.secret)
        if way == .list {
            context.body = ListGrammar.body(isHostile: !isHonest, secret: Self.secret, dice: &dice)
            context.headers = [("Content-Type", "application/json"), ("ETag", "\"1\"")]
        }
        // What an answer to HEAD or of these has no body for would be the next answer's beginning.
        if isHonest { context.statuses = HTTPGrammar.statuses.filter { !["204", "205", "304"].contains($0) } }
        // An answer of another status is no list: its body isn't read by the parser.
        if way != .target, dice.below(4) > 0 { context.statuses = ["200"] }
        return HTTPGrammar.answer(context, isHostile: !isHonest, dice: &dice)
    }
}

extension Case: CustomStringConvertible {
    /// The bytes that came, so that the case can be made without the fuzzer, too.
    package var description: String {
        let head =
            "seed \(seed), case \(number), by the way \(way.rawValue)\(isHonest ? ", honest" : "")\(speaksFrames ? ", in HTTP/2" : "")"
        return head + answers.enumerated().map { "\n  answer \($0 + 1): \($1)" }.joined()
    }
}
