import Testing

@testable import History

@Suite struct BoundedQueueTests {
    private func queue(_ elements: some Sequence<Int>) -> BoundedQueue<Int> {
        var queue = BoundedQueue<Int>(limit: 5)
        for element in elements { _ = queue.append(element) }
        return queue
    }

    @Test func anElementPastTheBoundDropsTheOldest() {
        var queue = queue(1...5)
        #expect(queue.append(6) == 1)
        #expect(Array(queue) == [2, 3, 4, 5, 6])
        #expect(queue.count == 5)
    }

    @Test func anElementBelowTheBoundDropsNone() {
        var queue = queue(1...4)
        #expect(queue.append(5) == 0)
    }

    @Test func anotherQueueFollowsInItsOrder() {
        var queue = queue(1...4)
        #expect(queue.append(self.queue(11...20)) == 4)
        #expect(Array(queue) == [16, 17, 18, 19, 20])
    }
}
