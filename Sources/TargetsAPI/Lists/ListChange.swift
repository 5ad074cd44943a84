package import Health

/// How many targets one list has that another list had not, by identity.
///
/// These numbers are for the log and for the decision whether anything is to be done. Which targets come, change and go is found once, by the
/// reconciliation: it sees the settings, too, and they change targets as lists do.
package struct ListChange: Hashable, Sendable {
    package private(set) var added = 0
    package private(set) var changed = 0
    package private(set) var removed = 0
    /// How many are as they were.
    package private(set) var unchanged = 0

    /// Both lists hold every identity once at most. The order of a list means nothing.
    package init(from old: [Target], to new: [Target]) {
        // By index, for a table of whole targets would take as much again as both lists.
        var rest = [TargetIdentity: Int](minimumCapacity: old.count)
        for (index, target) in old.enumerated() where rest[target.identity] == nil { rest[target.identity] = index }
        for target in new {
            let known = rest.removeValue(forKey: target.identity).map { old[$0] }
            switch known {
            case nil: added += 1
            case target?: unchanged += 1
            case .some: changed += 1
            }
        }
        removed = rest.count
    }

    /// A list that is as it was.
    init(unchanged: Int) { self.unchanged = unchanged }

    package var isEmpty: Bool { added + changed + removed == 0 }
}

/// Which targets of a list this daemon probes; judged after the feed's guard.
package struct TargetSelection: Hashable, Sendable {
    /// Empty means all.
    package var regions: Set<String>
    package var shard: Shard?

    package init(regions: Set<String> = [], shard: Shard? = nil) {
        self.regions = regions
        self.shard = shard
    }

    package func includes(_ target: Target) -> Bool {
        guard regions.isEmpty || regions.contains(target.region) else { return false }
        return shard?.holds(target.identity) ?? true
    }
}
