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
