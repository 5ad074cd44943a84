internal import DequeModule

/// A queue that gives its memory back after a burst.
struct BurstQueue<Element> {
    /// Room for so many is kept.
    static var keptCapacity: Int { 1024 }

    private var elements = Deque<Element>()
    /// The most that it held since it was last empty.
    private var most = 0

    var isEmpty: Bool { elements.isEmpty }
    var count: Int { elements.count }

    mutating func append(_ element: Element) {
        elements.append(element)
        most = max(most, elements.count)
    }

    mutating func popFirst() -> Element? {
        guard let first = elements.popFirst() else { return nil }
        if elements.isEmpty, most > Self.keptCapacity {
            elements = Deque()
            most = 0
        }
        return first
    }
}
