import Health

/// What the incidents that began within one interval of each other have in common, and what of it explains the most.
///
/// What all targets of a region share explains nothing as long as most of that region is up: so a group weighs as much as it has members, times
/// the share of such targets that is down.
struct Companions {
    struct Group {
        var thing: SharedThing
        var count: Int
        /// How many targets are like that, and are up or degraded; nil where nobody counts them.
        var standing: Int?
        fileprivate var weight: Double
    }

    /// The best of each kind, the one that explains the most first.
    let groups: [Group]
    let count: Int

    /// - Parameter members: the incident itself among them.
    init(_ members: [CompanionFacts], _ index: TargetIndex) {
        var counts: [SharedThing: Int] = [:]
        for member in members { for thing in member.things { counts[thing, default: 0] += 1 } }
        count = members.count
        let several = counts.filter { $0.value > 1 }
        let standings = index.standings(Set(several.keys))
        let shared = several.map { thing, count in
            let known = standings[thing]
            let share = known.map { $0.all > 0 ? Double(Int($0.all) - $0.well) / Double($0.all) : 1 } ?? 1
            return Group(thing: thing, count: count, standing: known?.well, weight: Double(count) * share)
        }
        let sorted = shared.sorted {
            ($1.weight, $0.thing.order, $0.thing.value) < ($0.weight, $1.thing.order, $1.thing.value)
        }
        var kinds: Set<String> = []
        groups = sorted.filter { kinds.insert($0.thing.kind).inserted }
    }

    /// "14 of 15 share 203.0.113.0/24"; nil when nothing is shared by more than two thirds of them.
    var explanation: Group? { groups.first.flatMap { 3 * $0.count >= 2 * count ? $0 : nil } }

    /// The same as a sentence.
    var words: String? {
        explanation.map { best in
            "\(best.count == count ? "All \(count)" : "\(best.count) of \(count)") share \(best.thing.words)."
        }
    }
}

extension CompanionFacts {
    fileprivate var things: [SharedThing] {
        var things: [SharedThing] = [.reason(entry.incident.reason)]
        things += [.sharedHost(entry.host), .sharedBlock(address)].compactMap(\.self)
        if let fingerprint { things.append(.certificate(fingerprint)) }
        if !entry.region.isEmpty { things.append(.region(entry.region)) }
        return things
    }
}

extension TargetIndex {
    /// How the targets are that are like that: of hosts and regions. Who shares something else isn't known here.
    fileprivate func standings(_ things: Set<SharedThing>) -> [SharedThing: GroupTally] {
        let knows = things.contains { thing in
            switch thing {
            case .host, .region: true
            case .certificate, .block, .regionAndReason, .reason: false
            }
        }
        guard knows else { return [:] }
        let (hosts, regions) = (GroupTallies(groups.hosts, self), GroupTallies(groups.regions, self))
        var found: [SharedThing: GroupTally] = [:]
        for thing in things {
            switch thing {
            case .host(let host): found[thing] = hosts[host]
            case .region(let region): found[thing] = regions[region]
            case .certificate, .block, .regionAndReason, .reason: break
            }
        }
        return found
    }
}
