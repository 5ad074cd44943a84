internal import HeapModule

/// When something is over, and whose it is. By the monotonic clock.
struct Deadline: Comparable {
    let nanoseconds: UInt64
    let id: UInt64

    static func < (left: Deadline, right: Deadline) -> Bool { left.nanoseconds < right.nanoseconds }
}

/// The transfers from their submission to their end, and the deadlines that nobody but the engine's loop keeps.
///
/// A deadline is never taken out early: a transfer that is past it, or gone, is passed over when the deadline comes up.
struct TransferTable {
    /// libcurl counts in whole milliseconds, and ends nearly all transfers by itself: its word is the better one.
    static let overdueAfter: UInt64 = 20_000_000

    private var transfers: [UInt64: Transfer] = [:]
    /// Of transfers that wait for their bundle to be read, or for a lookup.
    private var waits = Heap<Deadline>()
    /// Of the transfers that libcurl has.
    ///
    /// The fuzzer has seen it in one of some 100,000 hostile answers on a busy machine: libcurl 7.88.1 has a transfer under way, with a
    /// connection and without any timer. From there on nothing ends it but its server, and its target would not be probed again.
    private var overdues = Heap<Deadline>()

    var isEmpty: Bool { transfers.isEmpty }
    var all: Dictionary<UInt64, Transfer>.Values { transfers.values }

    subscript(id: UInt64) -> Transfer? { transfers[id] }

    /// In place of one with the same id.
    mutating func insert(_ transfer: Transfer) { transfers[transfer.id] = transfer }

    /// False where it is gone already.
    mutating func remove(_ transfer: Transfer) -> Bool { transfers.removeValue(forKey: transfer.id) != nil }

    /// Its state is one that waits.
    mutating func park(_ transfer: Transfer, until deadline: UInt64) {
        waits.insert(Deadline(nanoseconds: deadline, id: transfer.id))
    }

    /// libcurl has it from now on.
    mutating func handedOver(_ transfer: Transfer) {
        overdues.insert(Deadline(nanoseconds: transfer.times.deadline + Self.overdueAfter, id: transfer.id))
    }

    /// When the next transfer is late or overdue.
    mutating func nextDeadline() -> UInt64? {
        dropPassed()
        guard let wait = waits.min?.nanoseconds else { return overdues.min?.nanoseconds }
        return min(wait, overdues.min?.nanoseconds ?? .max)
    }

    /// One that still waits though its deadline has passed.
    mutating func popLate(now: UInt64) -> Transfer? {
        while let first = waits.min, first.nanoseconds <= now {
            waits.removeMin()
            if let transfer = transfers[first.id], transfer.state.isParked { return transfer }
        }
        return nil
    }

    /// One that libcurl still has though it should have ended it.
    mutating func popOverdue(now: UInt64) -> Transfer? {
        while let first = overdues.min, first.nanoseconds <= now {
            overdues.removeMin()
            if let transfer = transfers[first.id], transfer.state == .running { return transfer }
        }
        return nil
    }

    private mutating func dropPassed() {
        while let first = waits.min, transfers[first.id]?.state.isParked != true { waits.removeMin() }
        while let first = overdues.min, transfers[first.id] == nil { overdues.removeMin() }
    }
}
