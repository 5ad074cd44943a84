import Health

/// The rows of one page of the list: found by one look at each target, without sorting them all.
struct TargetSelection {
    struct Row: Hashable {
        var slot: Int
        var rank: Int64
        var identity: TargetIdentity
    }

    private(set) var rows: [Row] = []
    /// How many targets the query holds in all, and how many of them stand before this page.
    private(set) var total = 0
    private(set) var before = 0

    init(_ query: TargetQuery, _ index: TargetIndex, _ days: DayTable, p95: (Int) -> UInt32?) {
        let limit = max(1, min(query.limit, TargetQuery.rowsMax))
        let filter = IdentityFilter(query, index)
        let start = query.after.map { Start($0, query.order, index) }
        // The last of those kept so far stands first.
        var kept: [Row] = []
        index.forEachLive { slot, live in
            guard query.holds(live), filter.holds(slot) else { return }
            total += 1
            let rank = Self.rank(query.order, slot, live, days, p95, index.groups.nameRank(slot: slot))
            // Nearly always the rank says enough, and the identity is not asked for.
            let isEarly = start.map { rank < $0.rank } ?? false
            if !isEarly, kept.count == limit, let last = kept.first, rank > last.rank { return }
            guard let identity = index.identities[slot]?.identity else { return }
            if let start, isEarly || !start.isBefore(rank, identity) {
                before += 1
                return
            }
            if kept.count == limit, let last = kept.first, !Self.isBefore(rank, identity, last) { return }
            Self.push(Row(slot: slot, rank: rank, identity: identity), to: &kept, limit: limit)
        }
        rows = kept.sorted { Self.isBefore($0.rank, $0.identity, $1) }
    }

    func cursor(behind row: Row, _ order: TargetQuery.Order, _ index: TargetIndex) -> TargetQuery.Cursor {
        let isByName = order == .name || order == .status
        return TargetQuery.Cursor(
            rank: row.rank, name: isByName ? index.identity(slot: row.slot)?.name ?? "" : "", identity: row.identity)
    }

    private static func isBefore(_ rank: Int64, _ identity: TargetIdentity, _ other: Row) -> Bool {
        rank != other.rank ? rank < other.rank : isLess(identity, other.identity)
    }

    fileprivate static func isLess(_ one: TargetIdentity, _ other: TargetIdentity) -> Bool {
        one.clientID != other.clientID ? one.clientID < other.clientID : one.key < other.key
    }

    /// A heap whose root is the row that would leave first.
    private static func push(_ row: Row, to heap: inout [Row], limit: Int) {
        if heap.count < limit {
            heap.append(row)
            var child = heap.count - 1
            while child > 0, case let parent = (child - 1) / 2, isBefore(heap[parent].rank, heap[parent].identity, heap[child]) {
                heap.swapAt(parent, child)
                child = parent
            }
            return
        }
        heap[0] = row
        var parent = 0
        while true {
            var last = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if isBefore(heap[last].rank, heap[last].identity, heap[child]) { last = child }
            }
            if last == parent { return }
            heap.swapAt(parent, last)
            parent = last
        }
    }

    /// The lowest stands first. Where nothing is known, a target stands last.
    private static func rank(
        _ order: TargetQuery.Order, _ slot: Int, _ live: TargetIndex.Live, _ days: DayTable, _ p95: (Int) -> UInt32?,
        _ nameRank: Int32
    ) -> Int64 {
        let none = Int64.max
        let name = Int64(nameRank)
        switch order {
        case .name: return name
        // What is wrong first, and of the same status by name.
        case .status: return Int64(severity(live.status)) << severityShift | name
        case .last: return live.microseconds == 0 ? none : -Int64(live.microseconds)
        case .p95: return p95(slot).map { -Int64($0) } ?? none
        case .availability:
            let sums = days.sums(slot: slot)
            return sums.known > 0 ? sums.available * 1_000_000 / sums.known : none
        case .since: return live.since.map { -$0.milliseconds } ?? none
        }
    }

    fileprivate static let severityShift = 40

    private static func severity(_ status: Status) -> Int {
        switch status {
        case .down: 0
        case .degraded: 1
        case .unknown: 2
        case .up: 3
        }
    }
}

/// What a page goes on behind: the last row of the page before, whether it is still there or not.
private struct Start {
    let rank: Int64
    private let identity: TargetIdentity
    /// The row has gone, and another one has its rank.
    private var isGone = false

    init(_ cursor: TargetQuery.Cursor, _ order: TargetQuery.Order, _ index: TargetIndex) {
        identity = cursor.identity
        let nameBits = Int64(1) << TargetSelection.severityShift - 1
        let isByName = order == .name || order == .status
        guard isByName, cursor.rank & nameBits != Int64(TargetGroups.noRank) else {
            rank = cursor.rank
            return
        }
        let place = index.groups.nameRank(of: cursor.name, cursor.identity, in: index.identities)
        rank = cursor.rank & ~nameBits | Int64(place.rank)
        isGone = !place.isThere
    }

    func isBefore(_ rank: Int64, _ identity: TargetIdentity) -> Bool {
        rank != self.rank ? rank > self.rank : isGone || TargetSelection.isLess(self.identity, identity)
    }
}

/// Which targets a query holds by who they are.
private struct IdentityFilter {
    /// A word that the targets have in common.
    private struct Wanted {
        let grouping: TargetGroups.Grouping
        let word: String
        let place: Int?

        init(_ grouping: TargetGroups.Grouping, _ word: String) {
            (self.grouping, self.word, place) = (grouping, word, grouping.place(of: word))
        }

        func holds(_ slot: Int, _ index: TargetIndex) -> Bool {
            if let known = grouping.place(slot: slot) { return known == place }
            return index.identity(slot: slot).map { grouping.word($0) == word } ?? false
        }
    }

    private let index: TargetIndex
    private let wanted: [Wanted]
    /// In lower case.
    private let text: [UInt8]

    init(_ query: TargetQuery, _ index: TargetIndex) {
        let groups = index.groups
        wanted = [
            query.region.map { Wanted(groups.regions, $0) }, query.host.map { Wanted(groups.hosts, $0) },
            query.client.map { Wanted(groups.clients, $0) },
        ].compactMap(\.self)
        text = query.text.utf8.map(lowercased)
        self.index = index
    }

    func holds(_ slot: Int) -> Bool {
        for wanted in wanted where !wanted.holds(slot, index) { return false }
        guard !text.isEmpty else { return true }
        guard let identity = index.identity(slot: slot) else { return false }
        return stands(in: identity.name) || stands(in: identity.host ?? "") || stands(in: identity.identity.key)
    }

    private func stands(in text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in self.text.withUnsafeBufferPointer { findsIgnoringCase($0, in: bytes) } }
    }
}

/// Whether some bytes stand anywhere in others; ASCII letters of the others without regard to their case.
///
/// - Parameter wanted: in lower case.
private func findsIgnoringCase(_ wanted: UnsafeBufferPointer<UInt8>, in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = wanted.first else { return true }
    guard bytes.count >= wanted.count else { return false }
    for start in 0...(bytes.count - wanted.count) where lowercased(bytes[start]) == first {
        if wanted.indices.allSatisfy({ lowercased(bytes[start + $0]) == wanted[$0] }) { return true }
    }
    return false
}

private func lowercased(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 0x20 : byte }
