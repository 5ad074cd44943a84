import Testing

@testable import LockOrder

@Suite struct OrderedMutexTests {
    @Test func locksAreTakenInRisingRank() {
        let outer = OrderedMutex(1, rank: .reconciliation)
        let inner = OrderedMutex(2, rank: .seriesList)
        let leaf = OrderedMutex(3)
        let sum = outer.withLock { first in
            inner.withLock { second in first + second } + leaf.withLock { $0 }
        }
        #expect(sum == 6)
        // What was given back may be taken again, in any order of time.
        #expect(leaf.withLock { $0 } + outer.withLock { $0 } == 4)
    }

    #if DEBUG
        @Test func aLockUnderALeafStopsADebugBuild() async {
            await #expect(processExitsWith: .failure) {
                let first = OrderedMutex(1)
                let second = OrderedMutex(2)
                _ = first.withLock { _ in second.withLock { $0 } }
            }
        }

        @Test func aLowerRankUnderAHigherOneStopsADebugBuild() async {
            await #expect(processExitsWith: .failure) {
                let outer = OrderedMutex(1, rank: .reconciliation)
                let inner = OrderedMutex(2, rank: .historyWriter)
                _ = inner.withLock { _ in outer.withLock { $0 } }
            }
        }
    #endif

    @Test func anErrorGivesTheLockBack() {
        struct Failure: Error {}
        let mutex = OrderedMutex(0)
        #expect(throws: Failure.self) { try mutex.withLock { _ throws(Failure) in throw Failure() } }
        #expect(mutex.withLock { $0 } == 0)
    }
}
