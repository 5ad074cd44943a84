import Health

/// What follows from the list of targets alone, and takes too long for a page to work out: the order of names, and who has the same region, host or
/// client.
///
/// A target that has come or changed since is not in it until it is worked out again: whoever uses this then asks the target's identity.
package struct TargetGroups: Sendable {
    private static let choicesMax = 100
    private static let none: Int32 = -1

    /// Which targets have the same word, as in the same region.
    struct Grouping: Sendable {
        let word: @Sendable (TargetIndex.Identity) -> String
        /// Each once, sorted.
        private(set) var words: [String] = []
        /// By slot, the place of the target's word among ``words``.
        private var places: [Int32] = []

        fileprivate init(_ word: @escaping @Sendable (TargetIndex.Identity) -> String) { self.word = word }

        /// Answers how many targets have each word.
        fileprivate mutating func take(_ identities: [TargetIndex.Identity?]) -> [Int] {
            var counts: [String: Int] = [:]
            for identity in identities.lazy.compactMap(\.self) { counts[word(identity), default: 0] += 1 }
            let sorted = counts.keys.sorted()
            let placeOf = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, Int32($0)) })
            places = identities.map { identity in identity.flatMap { placeOf[word($0)] } ?? none }
            words = sorted
            return sorted.map { counts[$0] ?? 0 }
        }

        fileprivate mutating func forget(slot: Int) { if slot < places.count { places[slot] = none } }

        /// nil for a target that isn't in it.
        func place(slot: Int) -> Int? { slot < places.count && places[slot] != none ? Int(places[slot]) : nil }

        func place(of word: String) -> Int? {
            var (low, high) = (0, words.count)
            while low < high {
                let middle = (low + high) / 2
                if words[middle] < word { low = middle + 1 } else { high = middle }
            }
            return low < words.count && words[low] == word ? low : nil
        }
    }

    private(set) var regions = Grouping(\.region)
    private(set) var hosts = Grouping { $0.host ?? "" }
    private(set) var clients = Grouping(\.identity.clientID)
    /// What the filters of the list offer: what few targets have is found by its name.
    package private(set) var choices = TargetListPage.Choices(regions: [], hosts: [], clients: [])
    /// By slot, the place of each target in the order of names.
    private var nameRanks: [Int32] = []
    /// By place in the order of names, the slot of each target.
    private var nameOrder: [Int32] = []

    init() {}

    init(_ identities: [TargetIndex.Identity?]) {
        choices = TargetListPage.Choices(
            regions: Self.most(regions.take(identities), regions), hosts: Self.most(hosts.take(identities), hosts),
            clients: Self.most(clients.take(identities), clients))
        nameOrder = Self.nameOrder(identities)
        nameRanks = [Int32](repeating: Self.noRank, count: identities.count)
        for (rank, slot) in nameOrder.enumerated() { nameRanks[Int(slot)] = Int32(rank) }
    }

    /// Of a target that isn't in it: behind all others.
    static let noRank = Int32.max

    func nameRank(slot: Int) -> Int32 { slot < nameRanks.count ? nameRanks[slot] : Self.noRank }

    /// How many targets stand before this one in the order of names, whether it is there or not.
    ///
    /// - Parameter identities: by slot, as they are now.
    func nameRank(
        of name: String, _ identity: TargetIdentity, in identities: [TargetIndex.Identity?]
    ) -> (rank: Int32, isThere: Bool) {
        var (low, high) = (0, nameOrder.count)
        while low < high {
            let middle = (low + high) / 2
            // Those that have gone or changed since have no name to compare.
            guard let known = (middle..<high).first(where: { nameRanks[Int(nameOrder[$0])] != Self.noRank }),
                let other = identities[Int(nameOrder[known])]
            else {
                high = middle
                continue
            }
            if Self.isBefore((other.name, other.identity), (name, identity)) { low = known + 1 } else { high = middle }
        }
        let next = (low..<nameOrder.count).first { nameRanks[Int(nameOrder[$0])] != Self.noRank }
        guard let next, identities[Int(nameOrder[next])]?.identity == identity else { return (Int32(low), false) }
        return (Int32(next), true)
    }

    mutating func forget(slot: Int) {
        regions.forget(slot: slot)
        hosts.forget(slot: slot)
        clients.forget(slot: slot)
        if slot < nameRanks.count { nameRanks[slot] = Self.noRank }
    }

    private static func most(_ counts: [Int], _ grouping: Grouping) -> [String] {
        counts.indices.sorted { counts[$0] != counts[$1] ? counts[$0] > counts[$1] : $0 < $1 }.prefix(choicesMax)
            .sorted().map { grouping.words[$0] }.filter { !$0.isEmpty }
    }

    private static func nameOrder(_ identities: [TargetIndex.Identity?]) -> [Int32] {
        identities.indices.filter { identities[$0] != nil }.sorted { one, other in
            guard let one = identities[one], let other = identities[other] else { return false }
            return isBefore((one.name, one.identity), (other.name, other.identity))
        }.map { Int32($0) }
    }

    private static func isBefore(_ one: (name: String, id: TargetIdentity), _ other: (name: String, id: TargetIdentity)) -> Bool {
        if one.name != other.name { return one.name < other.name }
        return one.id.key != other.id.key ? one.id.key < other.id.key : one.id.clientID < other.id.clientID
    }
}

/// How many targets that have something in common are how.
struct GroupTally: Hashable, Sendable {
    var all: Int32 = 0
    var down: Int32 = 0
    var degraded: Int32 = 0
    var unknown: Int32 = 0

    /// Up or degraded.
    var well: Int { Int(all - down - unknown) }
    var downShare: Double { Double(down) / Double(max(1, all)) }

    fileprivate mutating func count(_ status: Status) {
        all += 1
        switch status {
        case .down: down += 1
        case .degraded: degraded += 1
        case .unknown: unknown += 1
        case .up: break
        }
    }
}

/// How the targets of each region, host or client are: by one look at each target.
struct GroupTallies {
    private let grouping: TargetGroups.Grouping
    private var known: [GroupTally]
    /// Of words that no target had when the groups were worked out.
    private var new: [String: GroupTally] = [:]

    init(_ grouping: TargetGroups.Grouping, _ index: TargetIndex) {
        self.grouping = grouping
        known = Array(repeating: GroupTally(), count: grouping.words.count)
        index.forEachLive { slot, live in
            if let place = grouping.place(slot: slot) {
                known[place].count(live.status)
            } else if let word = index.identity(slot: slot).map(grouping.word) {
                if let place = grouping.place(of: word) {
                    known[place].count(live.status)
                } else {
                    new[word, default: GroupTally()].count(live.status)
                }
            }
        }
    }

    subscript(word: String) -> GroupTally {
        grouping.place(of: word).map { known[$0] } ?? new[word] ?? GroupTally()
    }

    /// How many words there are.
    var count: Int { known.reduce(into: new.count) { if $1.all > 0 { $0 += 1 } } }

    /// What is wrong first; where nothing is, the largest.
    func worst(_ limit: Int) -> [(word: String, tally: GroupTally)] {
        var worst: [(word: String, tally: GroupTally)] = []
        func add(_ word: @autoclosure () -> String, _ tally: GroupTally) {
            guard tally.all > 0, limit > 0 else { return }
            if worst.count == limit, let last = worst.last, !Self.isWorse(tally, last.tally) {
                guard Self.isEqual(tally, last.tally), word() < last.word else { return }
            }
            let row = (word: word(), tally: tally)
            let place = worst.firstIndex {
                Self.isWorse(tally, $0.tally) || Self.isEqual(tally, $0.tally) && row.word < $0.word
            }
            worst.insert(row, at: place ?? worst.count)
            if worst.count > limit { worst.removeLast() }
        }
        for (place, tally) in known.enumerated() { add(grouping.words[place], tally) }
        for (word, tally) in new { add(word, tally) }
        return worst
    }

    private static func isWorse(_ one: GroupTally, _ other: GroupTally) -> Bool {
        (one.down, one.degraded, one.all) > (other.down, other.degraded, other.all)
    }

    private static func isEqual(_ one: GroupTally, _ other: GroupTally) -> Bool {
        (one.down, one.degraded, one.all) == (other.down, other.degraded, other.all)
    }
}
