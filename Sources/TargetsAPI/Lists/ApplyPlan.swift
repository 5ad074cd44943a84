package import Health

/// What has to be done so that a client has just the targets that a file declares: by name within a region. Pure.
package struct ApplyPlan: Hashable, Sendable {
    package struct Update: Hashable, Sendable {
        package var target: Target
        package var change: TargetChange
    }

    package struct NaturalKey: Hashable, Sendable, Comparable {
        package var name: String
        package var region: String
        package init(name: String, region: String) { (self.name, self.region) = (name, region) }
        package static func == (a: Self, b: Self) -> Bool {
            a.name.hasSameBytes(as: b.name) && a.region.hasSameBytes(as: b.region)
        }
        package static func < (a: Self, b: Self) -> Bool { (a.name, a.region) < (b.name, b.region) }
    }

    package private(set) var creates: [TargetDraft] = []
    package private(set) var updates: [Update] = []
    package private(set) var deletes: [Target] = []
    package private(set) var unchanged = 0
    /// Names that the client has more than once in a region: which of them is meant can't be known, and none of them is touched.
    package private(set) var ambiguous: [NaturalKey: [Target]] = [:]
    /// Declared targets whose name a record has that can't be read: one of them may be it, and none is touched.
    package private(set) var unreadable: [TargetDraft] = []

    /// - Parameters:
    ///   - declared: no two of one name and region.
    ///   - rejected: records of the same list that can't be read.
    ///   - prune: delete what isn't declared.
    package init(declared: [TargetDraft], existing: [Target], rejected: [RejectedRecord] = [], prune: Bool) {
        var known = Dictionary(grouping: existing) { NaturalKey(name: $0.name, region: $0.region) }
        let unreadableNames = Set(rejected.compactMap(\.shownName))
        for draft in declared {
            let key = NaturalKey(name: draft.name, region: draft.region)
            switch known.removeValue(forKey: key) {
            case nil where unreadableNames.contains(displayText(draft.name)): unreadable.append(draft)
            case nil: creates.append(draft)
            case let found? where found.count > 1: ambiguous[key] = found
            case let found?: compare(found[0], draft)
            }
        }
        guard prune else { return }
        deletes = known.values.flatMap(\.self).sorted { ($0.name, $0.region, $0.identity) < ($1.name, $1.region, $1.identity) }
    }

    /// Whether what can be done makes all as it is declared.
    package var isWhole: Bool { ambiguous.isEmpty && unreadable.isEmpty }
    package var isEmpty: Bool { creates.isEmpty && updates.isEmpty && deletes.isEmpty }

    private mutating func compare(_ target: Target, _ draft: TargetDraft) {
        var change = TargetChange()
        if !draft.baseURL.hasSameBytes(as: target.baseURL) { change.baseURL = draft.baseURL }
        if !draft.testPath.hasSameBytes(as: target.testPath) { change.testPath = draft.testPath }
        // What the file doesn't say stays as it is.
        if let effect = draft.ruleEffect, effect != target.ruleEffect { change.ruleEffect = effect }
        if change.isEmpty { unchanged += 1 } else { updates.append(Update(target: target, change: change)) }
    }
}
