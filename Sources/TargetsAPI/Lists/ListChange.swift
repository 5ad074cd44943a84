package import Health

/// What one list has that another hadn't: added, changed and removed targets by identity.
package struct ListChange: Hashable, Sendable {
    package struct Update: Hashable, Sendable {
        package let old: Target
        package let new: Target

        package init(old: Target, new: Target) {
            self.old = old
            self.new = new
        }
    }

    package var added: [Target] = []
    package var changed: [Update] = []
    package var removed: [Target] = []
    /// How many are as they were.
    package var unchanged = 0

    /// Both lists hold every identity once at most. The order of a list means nothing.
    package init(from old: [Target], to new: [Target]) {
        // By index, for a table of whole targets would take as much again as both lists.
        var rest = [TargetIdentity: Int](minimumCapacity: old.count)
        for (index, target) in old.enumerated() where rest[target.identity] == nil { rest[target.identity] = index }
        for target in new {
            let known = rest.removeValue(forKey: target.identity).map { old[$0] }
            switch known {
            case nil: added.append(target)
            case target?: unchanged += 1
            case let known?: changed.append(Update(old: known, new: target))
            }
        }
        removed = old.filter { rest[$0.identity] != nil }
    }

    /// A list that is as it was.
    init(unchanged: Int) { self.unchanged = unchanged }

    package var isEmpty: Bool { added.isEmpty && changed.isEmpty && removed.isEmpty }
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
