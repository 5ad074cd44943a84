internal import CCurl

/// A binary heap of transfers by deadline, earliest first. Entries are never taken out early: who pops one looks if it still matters.
struct Deadlines {
    typealias Entry = (nanoseconds: UInt64, id: UInt64)

    private var heap: [Entry] = []

    var first: Entry? { heap.first }

    mutating func insert(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0, heap[child].nanoseconds < heap[(child - 1) / 2].nanoseconds {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            let (left, right) = (2 * parent + 1, 2 * parent + 2)
            var least = parent
            if left < heap.count, heap[left].nanoseconds < heap[least].nanoseconds { least = left }
            if right < heap.count, heap[right].nanoseconds < heap[least].nanoseconds { least = right }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}

/// The end of transfers whose timeout libcurl has lost.
///
/// The fuzzer has seen it in one of some 100,000 hostile answers on a busy machine: libcurl 7.88.1 has a transfer under way, with a connection
/// and without any timer. From there on nothing ends it but its server, and its target would not be probed again.
extension Loop {
    /// libcurl counts in whole milliseconds, and its word is the better one.
    static let overdueAfter: UInt64 = 20_000_000

    /// When the next transfer is overdue that libcurl still has.
    var nextOverdue: UInt64? {
        while let first = overdues.first, transfers[first.id] == nil { overdues.removeFirst() }
        return overdues.first?.nanoseconds
    }

    func endOverdue() {
        guard overdues.first != nil else { return }
        let now = monotonicNanoseconds()
        while let next = nextOverdue, next <= now, let id = overdues.first?.id {
            overdues.removeFirst()
            guard let transfer = transfers[id], transfer.stage == .running else { continue }
            lookForStandstill()
            transfer.isOverdue = true
            end(transfer, transfer.failure(CURLE_OPERATION_TIMEDOUT))
        }
    }
}
