// LockOrder: the order in which locks may be taken, a mutex that checks the order in debug builds, and the alarm that wakes a loop.
// What lives here: the ranks, the mutex, which ranks the thread at hand holds, and the alarm.
// What doesn't: what a lock protects (each type keeps its own).
// docs/architecture.md lists which lock has which rank.

internal import Glibc
package import Synchronization

/// Where a lock stands in the order. A thread takes locks in rising rank only: then no two threads can wait for each other.
package enum LockRank: UInt8, CaseIterable, Sendable {
    /// One reconciliation of lists and settings at a time. Everything else may be called under it.
    case reconciliation
    /// One list of series at a time is made. The series' own lock is taken under it.
    case seriesList
    /// One copy for the pages at a time is made. What it is made of is copied under it.
    case pageCopy
    /// The writer's own memory of the database. What waits to be written is taken from under the inbox's lock meanwhile.
    case historyWriter
    /// What the writer knows of the rows that the database has. A leaf may be taken under it.
    case historyCache
    /// A lock over one value. A thread that holds one takes no other lock, and calls nothing that might.
    case leaf
}

/// A mutex with a rank. A debug build stops the process when a thread takes locks in another order than that of their ranks; in a release
/// build it is a `Mutex` and nothing more.
package struct OrderedMutex<Value: ~Copyable>: ~Copyable, Sendable {
    @usableFromInline let mutex: Mutex<Value>
    #if DEBUG
        private let rank: LockRank
    #endif

    #if DEBUG
        package init(_ value: consuming sending Value, rank: LockRank = .leaf) {
            mutex = Mutex(value)
            self.rank = rank
        }

        /// Calls `body` with the value, while no other thread has it. Not to be called again from within `body`.
        package borrowing func withLock<Result: ~Copyable, Failure: Error>(
            _ body: (inout sending Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            HeldLocks.take(rank)
            defer { HeldLocks.release(rank) }
            return try mutex.withLock(body)
        }
    #else
        @inlinable package init(_ value: consuming sending Value, rank: LockRank = .leaf) { mutex = Mutex(value) }

        /// Calls `body` with the value, while no other thread has it. Not to be called again from within `body`.
        @inlinable package borrowing func withLock<Result: ~Copyable, Failure: Error>(
            _ body: (inout sending Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            try mutex.withLock(body)
        }
    #endif
}

#if DEBUG
    /// The ranks that the thread at hand holds, a bit each.
    private enum HeldLocks {
        private static let key: pthread_key_t = {
            var key = pthread_key_t()
            let code = pthread_key_create(&key, nil)
            precondition(code == 0, "no key for the locks of a thread: errno \(code)")
            return key
        }()

        private static var held: UInt {
            get { UInt(bitPattern: pthread_getspecific(key)) }
            set { pthread_setspecific(key, UnsafeRawPointer(bitPattern: newValue)) }
        }

        static func take(_ rank: LockRank) {
            let held = held
            precondition(
                held < 1 << rank.rawValue,
                "a thread takes a lock of the rank \(rank) while it holds \(names(held)): docs/architecture.md, \"Locks\"")
            self.held = held | 1 << rank.rawValue
        }

        static func release(_ rank: LockRank) { held &= ~(1 << rank.rawValue) }

        private static func names(_ held: UInt) -> String {
            LockRank.allCases.filter { held & 1 << $0.rawValue != 0 }.map { "\($0)" }.joined(separator: ", ")
        }
    }
#endif
