internal import HeapModule

/// When something is over, and whose it is. By the monotonic clock.
struct Deadline: Comparable {
    let nanoseconds: UInt64
    let id: UInt64

    static func < (left: Deadline, right: Deadline) -> Bool { left.nanoseconds < right.nanoseconds }
}

/// The transfers from their submission to their end, and their deadlines.
///
/// A deadline is never taken out early: a transfer that is past it, or gone, is passed over when the deadline comes up.
struct TransferTable {
    private var transfers: [UInt64: Transfer] = [:]
    /// Of transfers that wait for their bundle to be read, or for a lookup.
    private var waits = Heap<Deadline>()
    /// Of the transfers that libcurl has. libcurl keeps no deadline of theirs: it would end a transfer before it reads what has come in
    /// time.
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
        overdues.insert(Deadline(nanoseconds: transfer.times.deadline, id: transfer.id))
    }

    /// Its deadline has passed, and its socket is to be served once more.
    mutating func postpone(_ transfer: Transfer, now: UInt64) {
        overdues.insert(Deadline(nanoseconds: now + 1, id: transfer.id))
    }

    /// When the next deadline passes.
    mutating func nextDeadline() -> UInt64? {
        dropPassed()
        guard let wait = waits.min?.nanoseconds else { return overdues.min?.nanoseconds }
        return min(wait, overdues.min?.nanoseconds ?? .max)
    }

    /// One that still waits though its deadline has passed. The end of the wait for a bundle says nothing about the wait for a lookup, which
    /// follows.
    mutating func popLate(now: UInt64) -> Transfer? {
        while let first = waits.min, first.nanoseconds <= now {
            waits.removeMin()
            guard let transfer = transfers[first.id], transfer.state.isParked else { continue }
            if case .lookingUp = transfer.state, first.nanoseconds < transfer.times.deadline { continue }
            return transfer
        }
        return nil
    }

    /// One that libcurl still has though its deadline has passed.
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
