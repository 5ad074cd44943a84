internal import DequeModule

/// A queue that drops its oldest elements at its bound and says how many.
struct BoundedQueue<Element: Sendable>: Sendable, Sequence {
    private let limit: Int
    private var elements = Deque<Element>()

    init(limit: Int) { self.limit = limit }

    var count: Int { elements.count }
    var underestimatedCount: Int { elements.count }
    var isEmpty: Bool { elements.isEmpty }

    /// Returns how many were dropped.
    mutating func append(_ element: Element) -> Int {
        elements.append(element)
        return trim()
    }

    /// Returns how many were dropped.
    mutating func append(_ later: BoundedQueue) -> Int {
        elements.append(contentsOf: later.elements)
        return trim()
    }

    func makeIterator() -> Deque<Element>.Iterator { elements.makeIterator() }

    private mutating func trim() -> Int {
        let excess = Swift.max(0, count - limit)
        if excess > 0 { elements.removeFirst(excess) }
        return excess
    }
}
