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

    /// - Parameters:
    ///   - nameRanks: by slot, the place of each target in the order of names.
    init(_ query: TargetQuery, _ index: TargetIndex, _ days: DayTable, p95: (Int) -> UInt32?, nameRanks: [Int32]) {
        let limit = max(1, min(query.limit, TargetQuery.rowsMax))
        // The last of those kept so far stands first.
        var kept: [Row] = []
        index.forEach { slot, identity, live in
            guard query.holds(identity, live) else { return }
            total += 1
            let rank = Self.rank(query.order, slot, live, days, p95, nameRanks)
            if let after = query.after, !Self.isBehind(rank, identity.identity, after) {
                before += 1
                return
            }
            if kept.count == limit, let last = kept.first, !Self.isBefore(rank, identity.identity, last) { return }
            Self.push(Row(slot: slot, rank: rank, identity: identity.identity), to: &kept, limit: limit)
        }
        rows = kept.sorted { Self.isBefore($0.rank, $0.identity, $1) }
    }

    private static func isBefore(_ rank: Int64, _ identity: TargetIdentity, _ other: Row) -> Bool {
        rank != other.rank ? rank < other.rank : isLess(identity, other.identity)
    }

    private static func isBehind(_ rank: Int64, _ identity: TargetIdentity, _ cursor: TargetQuery.Cursor) -> Bool {
        rank != cursor.rank ? rank > cursor.rank : isLess(cursor.identity, identity)
    }

    private static func isLess(_ one: TargetIdentity, _ other: TargetIdentity) -> Bool {
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
        _ nameRanks: [Int32]
    ) -> Int64 {
        let none = Int64.max
        let name = slot < nameRanks.count ? Int64(nameRanks[slot]) : none
        switch order {
        case .name: return name
        // What is wrong first, and of the same status by name.
        case .status: return Int64(severity(live.status)) << 40 | (name & (1 << 40 - 1))
        case .last: return live.microseconds == 0 ? none : -Int64(live.microseconds)
        case .p95: return p95(slot).map { -Int64($0) } ?? none
        case .availability:
            let sums = days.sums(slot: slot)
            return sums.known > 0 ? sums.available * 1_000_000 / sums.known : none
        case .since: return live.since.map { -$0.milliseconds } ?? none
        }
    }

    private static func severity(_ status: Status) -> Int {
        switch status {
        case .down: 0
        case .degraded: 1
        case .unknown: 2
        case .up: 3
        }
    }
}
