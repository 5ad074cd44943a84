// Scheduling: who is due, when, and how many at once.
// What lives here: due times in a heap, the spread over the interval, fast re-checks and their budget, admission, lateness.
// What doesn't: what a probe is. It is handed in as a closure; its end comes back as `ProbeEnd`.
// Schedule is the pure state machine on times since an origin; Scheduler turns it with a clock and a task group.
// The rules are those of docs/architecture.md, "The clock and the re-checks".

import DequeModule
package import Health
import HeapModule

/// What scheduling needs to know of a target's policy.
package struct ProbeInterval: Hashable, Sendable {
    package var interval: Duration
    package var fastInterval: Duration

    package init(interval: Duration, fastInterval: Duration) {
        self.interval = interval
        self.fastInterval = fastInterval
    }
}

/// Leave to start one probe. `generation` tells a target from an earlier one of the same identity.
package struct ProbeStart: Hashable, Sendable {
    package var target: TargetIdentity
    /// Since the schedule's origin.
    package var due: Duration
    package var isRecheck: Bool
    let slot: Int
    let generation: UInt32
}

/// Counts of what did not go to plan, since start.
package struct ScheduleCounts: Hashable, Sendable {
    /// Due times for which no probe had started when the next one came, though none of that target's was in flight.
    package var missed = 0
    /// Due times that fell while the target's probe was in flight.
    package var skippedInFlight = 0
    /// Re-checks that wait for the normal due time because the budget was spent.
    package var rechecksDeferred = 0
}

/// Due times of all targets. Times are durations since an origin on the monotonic clock; a target's are phase + k × interval with
/// the phase taken from the stable hash of its identity, so that a restart keeps the rhythm and targets never start all at once.
package struct Schedule: Sendable {
    private struct Entry {
        var target: TargetIdentity
        /// In nanoseconds, like all times here: a Duration takes twice the room, and a hundred thousand of these are kept.
        var interval: Int64
        var fastInterval: Int64
        var generation: UInt32
        var nextDue: Int64
        var recheckDue: Int64?
        /// It was changed and is to be probed now: no re-check that the budget is for. Stays until a probe of it starts.
        var isAtOnce = false
        var inFlight = false
        /// Due, but no place was free.
        var waitingDue: Int64?
        /// The first of its due times that has come without a start: a later one takes its place, but makes the wait no shorter, and neither
        /// does being passed over. A re-check's time is none of them.
        var waitingSince: Int64?
        var waitsForRecheck = false
        var startedAt: Int64 = 0
    }

    struct HeapItem: Comparable {
        var at: Int64
        var slot: Int
        var generation: UInt32
        static func < (a: Self, b: Self) -> Bool { (a.at, a.slot) < (b.at, b.slot) }
    }

    /// How long a due probe may wait for a place. Past it the probe is passed over: later it would say more of us than of its target.
    package static let patience = Duration.milliseconds(150)
    /// How soon a changed target that was passed over asks for a place again.
    static let claimAgainAfter = Duration.seconds(1)
    /// From this share of the places on they are given out by lot. When everything hangs, whoever happens to be due just when places come
    /// free would have them all, again and again, and the others would never be looked at.
    package static let lotFrom = 0.9

    package private(set) var counts = ScheduleCounts()
    package private(set) var inFlight = 0
    private let maxInFlight: Int
    private var budget: RecheckBudget
    private var entries: [Entry?] = []
    private var freeSlots: [Int] = []
    private var slots: [TargetIdentity: Int] = [:]
    private(set) var heap = Heap<HeapItem>()
    /// In order of arrival, with the time of it; entries that have gone since are skipped when their turn comes.
    private var waiting = Deque<HeapItem>()
    private var generations: UInt32 = 0
    private var admissionSampler = AdmissionSampler()

    /// - Parameters:
    ///   - maxInFlight: how many probes may be in flight at once.
    ///   - fastBudget: the share of the planned starts a second that re-checks may add.
    package init(maxInFlight: Int, fastBudget: Double) {
        self.maxInFlight = max(1, maxInFlight)
        budget = RecheckBudget(share: fastBudget)
    }

    package var count: Int { slots.count }

    /// Adds a target, or gives a known one a new rhythm. `atOnce` probes it now, beside its normal due times.
    package mutating func set(_ target: TargetIdentity, _ rhythm: ProbeInterval, atOnce: Bool = false, now: Duration) {
        let now = now.nanoseconds
        if let slot = slots[target], var entry = entries[slot] {
            let (interval, fast) = (rhythm.interval.nanoseconds, rhythm.fastInterval.nanoseconds)
            if (entry.interval, entry.fastInterval) != (interval, fast) {
                budget.replace(.nanoseconds(entry.interval), with: rhythm.interval)
                (entry.interval, entry.fastInterval) = (interval, fast)
                entry.nextDue = Self.firstDue(target, rhythm.interval, after: now)
                push(entry.nextDue, slot, entry.generation)
            }
            if atOnce { claim(&entry, slot, at: now) }
            entries[slot] = entry
            return
        }
        generations &+= 1
        var entry = Entry(
            target: target, interval: rhythm.interval.nanoseconds, fastInterval: rhythm.fastInterval.nanoseconds,
            generation: generations, nextDue: Self.firstDue(target, rhythm.interval, after: now))
        let slot = freeSlots.popLast() ?? entries.count
        if slot == entries.count { entries.append(nil) }
        slots[target] = slot
        budget.replace(nil, with: rhythm.interval)
        push(entry.nextDue, slot, entry.generation)
        if atOnce { claim(&entry, slot, at: now) }
        entries[slot] = entry
    }

    /// Forgets a target. A probe of it that is in flight still counts as in flight until it has finished.
    package mutating func remove(_ target: TargetIdentity) {
        guard let slot = slots.removeValue(forKey: target), let entry = entries[slot] else { return }
        budget.replace(.nanoseconds(entry.interval), with: nil)
        entries[slot] = nil
        freeSlots.append(slot)
        compactIfStale()
    }

    /// When ``takeDue(now:)`` has work to do next; nil when there is nothing to wait for.
    package var nextDue: Duration? { heap.min.map { .nanoseconds($0.at) } }

    /// Starts that fall due within this are made in one go: waking up is what a probe costs most above the transfer itself. As long as three
    /// take to fall due: their answers come at once, too, and the last of many would be read late.
    var coalescing: Duration {
        .microseconds(Int64(min(max(3_000_000 / max(1, budget.plannedPerSecond), 2_000), 10_000)))
    }

    /// A probe waits for a place and there is one.
    var hasAdmissible: Bool { !waiting.isEmpty && inFlight < maxInFlight }

    /// The probes that may start now, longest waiting first. Who has waited too long, or loses the lot, is passed over: the due time is
    /// missed, and the next one comes as planned.
    package mutating func takeDue(now: Duration) -> [ProbeStart] {
        let now = now.nanoseconds
        var starts: [ProbeStart] = []
        while let item = heap.min, item.at <= now {
            heap.removeMin()
            guard var entry = entries[item.slot], entry.generation == item.generation else { continue }
            if item.at == entry.nextDue {
                takeRegular(&entry, item, now: now)
            } else if item.at == entry.recheckDue {
                takeRecheck(&entry, item, now: now)
            }
            entries[item.slot] = entry
        }
        while let item = waiting.first {
            guard var entry = entries[item.slot], entry.generation == item.generation, let due = entry.waitingDue else {
                waiting.removeFirst()
                continue
            }
            // One that has taken the place of an earlier due time has its own patience.
            let isLate = now - max(item.at, due) > Self.patience.nanoseconds
            guard isLate || inFlight < maxInFlight else { break }
            waiting.removeFirst()
            guard !isLate, drawsASlot() else {
                passOver(&entry, item, now: now)
                entries[item.slot] = entry
                continue
            }
            starts.append(
                ProbeStart(
                    target: entry.target, due: .nanoseconds(due), isRecheck: entry.waitsForRecheck, slot: item.slot,
                    generation: item.generation))
            (entry.waitingDue, entry.waitingSince, entry.isAtOnce) = (nil, nil, false)
            (entry.inFlight, entry.startedAt) = (true, now)
            entries[item.slot] = entry
            inFlight += 1
        }
        return starts
    }

    /// A probe has ended. Returns true when that makes something due that ``nextDue`` didn't know of.
    ///
    /// - Parameter startedAt: when it really started; nil when it never did.
    package mutating func finish(_ start: ProbeStart, startedAt: Duration?, wantsRecheck: Bool, now: Duration) -> Bool {
        inFlight -= 1
        let someoneWaits = !waiting.isEmpty
        guard var entry = entries[start.slot], entry.generation == start.generation else { return someoneWaits }
        defer { entries[start.slot] = entry }
        entry.inFlight = false
        if entry.recheckDue != nil {
            // The target was changed while its probe was in flight, and is to be probed at once.
            let at = max(now.nanoseconds, entry.recheckDue ?? 0)
            entry.recheckDue = at
            push(at, start.slot, entry.generation)
            return true
        }
        guard wantsRecheck else { return someoneWaits }
        let previousStart = startedAt?.nanoseconds ?? entry.startedAt
        let due = max(previousStart + entry.fastInterval, now.nanoseconds)
        guard due < entry.nextDue else { return someoneWaits }
        entry.recheckDue = due
        push(due, start.slot, entry.generation)
        return true
    }

    /// How many targets have had no start, or no end, for `intervals` of their own intervals: what readiness watches.
    ///
    /// - Parameter slots: those to look at, from 0 to ``slotCount``; what lies past it is left out.
    package func overdue(byIntervals intervals: Int, now: Duration, slots: Range<Int>) -> Int {
        let now = now.nanoseconds
        return entries[slots.clamped(to: 0..<entries.count)].reduce(into: 0) { count, entry in
            guard let entry else { return }
            let since = entry.inFlight ? entry.startedAt : entry.waitingSince ?? entry.nextDue
            if now - since > entry.interval * Int64(intervals) { count += 1 }
        }
    }

    /// How many slots there are for targets. A target keeps its slot.
    package var slotCount: Int { entries.count }

    private mutating func takeRegular(_ entry: inout Entry, _ item: HeapItem, now: Int64) {
        let interval = entry.interval
        let passed = (now - entry.nextDue) / interval
        let due = entry.nextDue + passed * interval
        entry.nextDue = due + interval
        push(entry.nextDue, item.slot, item.generation)
        entry.recheckDue = entry.inFlight ? entry.recheckDue : nil
        if entry.inFlight {
            counts.skippedInFlight += Int(passed) + 1
            return
        }
        counts.missed += Int(passed)
        // The due time before it came without a start, whether it was passed over or still waits.
        if entry.waitingSince != nil { counts.missed += 1 }
        if entry.waitingDue == nil { wait(item, now: now) }
        entry.waitingSince = entry.waitingSince ?? item.at
        (entry.waitingDue, entry.waitsForRecheck) = (due, false)
    }

    private mutating func takeRecheck(_ entry: inout Entry, _ item: HeapItem, now: Int64) {
        // In flight: the target was changed meanwhile; `finish` brings the re-check back.
        guard !entry.inFlight else { return }
        entry.recheckDue = nil
        guard entry.waitingDue == nil else { return }
        guard entry.isAtOnce || budget.take(now: now) else {
            counts.rechecksDeferred += 1
            return
        }
        (entry.waitingDue, entry.waitsForRecheck) = (item.at, true)
        wait(item, now: now)
    }

    private mutating func wait(_ item: HeapItem, now: Int64) {
        waiting.append(HeapItem(at: now, slot: item.slot, generation: item.generation))
    }

    private mutating func drawsASlot() -> Bool {
        let free = Double(maxInFlight - inFlight)
        let contested = (Double(maxInFlight) * (1 - Self.lotFrom)).rounded(.down)
        return free >= contested || admissionSampler.draw(chance: free / contested)
    }

    /// It is changed, and has a claim to be probed at once, which it keeps until it is.
    private mutating func claim(_ entry: inout Entry, _ slot: Int, at moment: Int64) {
        entry.isAtOnce = true
        guard entry.waitingDue == nil else { return }
        entry.recheckDue = moment
        push(moment, slot, entry.generation)
    }

    /// Its due time goes by without a probe. A re-check's was none: it waits for the normal one.
    private mutating func passOver(_ entry: inout Entry, _ item: HeapItem, now: Int64) {
        entry.waitingDue = nil
        if entry.isAtOnce {
            claim(&entry, item.slot, at: now + Self.claimAgainAfter.nanoseconds)
        } else if entry.waitsForRecheck {
            counts.rechecksDeferred += 1
        }
    }

    private mutating func push(_ at: Int64, _ slot: Int, _ generation: UInt32) {
        heap.insert(HeapItem(at: at, slot: slot, generation: generation))
    }

    /// Items of targets that have gone stay in the heap until their time comes; when they outnumber the living it is built anew.
    private mutating func compactIfStale() {
        guard heap.count > 4 * slots.count + 1024 else { return }
        let living = heap.unordered.filter { entries[$0.slot]?.generation == $0.generation }
        heap = Heap(living)
    }

    private static func firstDue(_ target: TargetIdentity, _ interval: Duration, after now: Int64) -> Int64 {
        let length = max(1, interval.nanoseconds)
        let phase = stablePhase(of: target, interval: length)
        let past = (now - phase).quotientAndRemainder(dividingBy: length)
        let first = phase + (past.remainder > 0 ? past.quotient + 1 : past.quotient) * length
        return max(first, phase)
    }
}

extension Duration {
    /// Saturates at ±292 years.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : scaled &+ attoseconds / 1_000_000_000
    }
}
