/// Who waits for a lookup: a transfer, and the mailbox of its engine.
struct LookupWaiter: Hashable, Sendable {
    let transfer: UInt64
    /// nil in tests that have no engine.
    var mailbox: Mailbox?

    static func == (left: LookupWaiter, right: LookupWaiter) -> Bool {
        left.transfer == right.transfer && left.mailbox === right.mailbox
    }

    func hash(into hasher: inout Hasher) { hasher.combine(transfer) }
}

/// Which names are being looked up and who waits for them; ``NameResolver`` carries out what it decides.
///
/// One lookup a name at a time. The system's resolver blocks the thread that asks it: at most `threads` such lookups run, and the rest wait their turn. One
/// that hangs keeps its name and its place until the system's resolver lets go, and nothing else: whoever waits for it leaves at their own deadline.
/// A lookup by DNS needs no thread, and is forgotten when nobody waits for it any more.
struct LookupTable {
    private enum Stage: Hashable {
        /// Where it belongs is not known yet.
        case asked
        case queued
        case running
        case byDNS
    }

    private struct Lookup {
        let id: UInt64
        var stage: Stage
        var waiters: Set<LookupWaiter> = []
        /// Those of the waiters who came when it had been under way for long.
        var late: Set<LookupWaiter> = []
        var beganAt: UInt64
        /// How long those who asked would use the answer again.
        var keepAtMost: UInt64 = 0
        var keepsTimeToLive = false
    }

    /// An answer, and for whom it is.
    struct End {
        let waiters: Set<LookupWaiter>
        /// The lookup begins anew under this id, for those who came late to one that had no answer.
        var again: UInt64?
    }

    /// After so long under way, a lookup's queries are those of earlier waiters.
    private static let nanosecondsUntilLate: UInt64 = 1_000_000_000

    private let threads: Int
    private var lookups: [LookupName: Lookup] = [:]
    private var queue = BurstQueue<LookupName>()
    private var lastID: UInt64 = 0
    private var cache: LookupCache
    private(set) var running = 0

    init(threads: Int, cache: LookupCache = LookupCache()) { (self.threads, self.cache) = (threads, cache) }

    /// A good answer that is young enough.
    func recall(_ name: LookupName, _ reuse: LookupReuse, now: UInt64) -> [SocketAddress]? { cache.recall(name, reuse, now: now) }

    /// Answers the id of a lookup that begins with this; nil where one is under way.
    mutating func wait(for name: LookupName, _ waiter: LookupWaiter, _ reuse: LookupReuse, now: UInt64) -> UInt64? {
        let isNew = lookups[name] == nil
        var lookup = lookups.removeValue(forKey: name) ?? newLookup(now: now)
        lookup.waiters.insert(waiter)
        if now > lookup.beganAt + Self.nanosecondsUntilLate { lookup.late.insert(waiter) }
        switch reuse {
        case .atMost(let nanoseconds): lookup.keepAtMost = max(lookup.keepAtMost, nanoseconds)
        case .timeToLive: lookup.keepsTimeToLive = true
        }
        lookups[name] = lookup
        return isNew ? lookup.id : nil
    }

    /// It is asked for by DNS from here on. False for one that nobody waits for any more: it ends.
    mutating func beginByDNS(_ name: LookupName, _ id: UInt64) -> Bool { isWanted(name, id, then: .byDNS) }

    /// It needs a thread: see ``next()``.
    mutating func queue(_ name: LookupName, _ id: UInt64) {
        if isWanted(name, id, then: .queued) { queue.append(name) }
    }

    private mutating func isWanted(_ name: LookupName, _ id: UInt64, then stage: Stage) -> Bool {
        guard let lookup = lookups[name], lookup.id == id else { return false }
        lookups[name]?.stage = stage
        if lookup.waiters.isEmpty { lookups[name] = nil }
        return !lookup.waiters.isEmpty
    }

    /// The next lookup to start a thread for, when one may start; it counts as running from here on.
    mutating func next() -> LookupName? {
        while running < threads, let name = queue.popFirst() {
            guard let lookup = lookups[name], lookup.stage == .queued else { continue }
            if lookup.waiters.isEmpty {
                lookups[name] = nil
                continue
            }
            lookups[name]?.stage = .running
            running += 1
            return name
        }
        return nil
    }

    /// Leaves a lookup to itself. Answers whether it was under way: if not, it had no chance to answer in time.
    mutating func leave(_ name: LookupName, _ waiter: LookupWaiter) -> Bool {
        lookups[name]?.waiters.remove(waiter)
        lookups[name]?.late.remove(waiter)
        guard let lookup = lookups[name] else { return false }
        // Whoever asks next gets queries of their own, and not the end of these.
        if lookup.stage == .byDNS, lookup.waiters.isEmpty { lookups[name] = nil }
        return lookup.stage == .running || lookup.stage == .byDNS
    }

    /// Ends a lookup that ran in a thread. Answers those who still wait for it.
    mutating func finish(_ name: LookupName, _ answer: LookupAnswer, at: UInt64) -> Set<LookupWaiter> {
        guard let lookup = lookups[name], lookup.stage == .running else { return [] }
        lookups[name] = nil
        running -= 1
        remember(name, lookup, answer, timeToLive: nil, at: at)
        return lookup.waiters
    }

    /// Ends a lookup by DNS.
    ///
    /// - Parameter now: nanoseconds of the monotonic clock.
    mutating func finish(_ name: LookupName, _ id: UInt64, _ result: DNSResult, now: UInt64) -> End {
        guard let lookup = lookups[name], lookup.id == id else { return End(waiters: []) }
        lookups[name] = nil
        if result.isWhole { remember(name, lookup, result.answer, timeToLive: result.timeToLive, at: result.at) }
        guard !result.isAnswered, !lookup.late.isEmpty else { return End(waiters: lookup.waiters) }
        var again = newLookup(now: now)
        (again.waiters, again.keepAtMost, again.keepsTimeToLive) = (lookup.late, lookup.keepAtMost, lookup.keepsTimeToLive)
        lookups[name] = again
        return End(waiters: lookup.waiters.subtracting(lookup.late), again: again.id)
    }

    private mutating func newLookup(now: UInt64) -> Lookup {
        lastID += 1
        return Lookup(id: lastID, stage: .asked, beganAt: now)
    }

    private mutating func remember(
        _ name: LookupName, _ lookup: Lookup, _ answer: LookupAnswer, timeToLive: UInt32?, at: UInt64
    ) {
        guard case .addresses(let addresses) = answer else { return }
        let ownTime = LookupReuse.timeToLive.nanoseconds(timeToLive: timeToLive)
        let keep = max(lookup.keepAtMost, lookup.keepsTimeToLive ? ownTime : 0)
        if keep > 0 { cache.remember(name, addresses, timeToLive: timeToLive, at: at, keep: keep) }
    }
}
