// Scheduling: who is due, when, and how many at once.
// What lives here: due times in a heap, the spread over the interval and over the lanes, fast re-checks and their budget, admission, lateness,
// and which due times are passed over past capacity.
// What doesn't: what a probe is. It is handed in as a closure; its end comes back as `ProbeEnd`.
// Schedule is the pure state machine on times since an origin; Scheduler turns it with a clock and a task group.
// The rules are those of docs/architecture.md, "The clock and the re-checks".

import DequeModule
package import Health
import HeapModule

/// Due times of all targets, lane by lane. Times are durations since an origin on the monotonic clock; a target's are phase + k × interval with
/// the phase taken from the stable hash of its identity, so that a restart keeps the rhythm and targets never start all at once.
package struct Schedule: Sendable {
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
    private var entries: [ScheduledTarget?] = []
    private var freeSlots: [Int] = []
    private var slots: [TargetIdentity: Int] = [:]
    private(set) var lanes: [ScheduleLane]
    private var generations: UInt32 = 0
    private var admissionSampler = AdmissionSampler()

    /// - Parameters:
    ///   - lanes: how many threads start probes.
    ///   - maxInFlight: how many probes may be in flight at once, in all lanes together.
    ///   - fastBudget: the share of the planned starts a second that re-checks may add.
    package init(lanes: Int = 1, maxInFlight: Int, fastBudget: Double) {
        self.lanes = (0..<max(1, lanes)).map { _ in ScheduleLane() }
        self.maxInFlight = max(1, maxInFlight)
        budget = RecheckBudget(share: fastBudget)
    }

    package var count: Int { slots.count }

    /// Adds a target, or gives a known one a new rhythm or another lane. `atOnce` probes it now, beside its normal due times. Returns the lane.
    ///
    /// A target that changes its lane keeps its due times. A probe of it that is in flight ends in the lane in which it began.
    ///
    /// - Parameter lane: nil for the one that the target has; the first, for a target that isn't known.
    @discardableResult
    package mutating func set(
        _ target: TargetIdentity, _ rhythm: ProbeInterval, lane: Int? = nil, atOnce: Bool = false, now: Duration
    ) -> Int {
        let now = now.nanoseconds
        guard let slot = slots[target], var entry = entries[slot] else {
            add(target, rhythm, lane: lane ?? 0, atOnce: atOnce, now: now)
            return lane ?? 0
        }
        let lane = lane ?? Int(entry.lane)
        if Int(entry.lane) != lane { move(&entry, slot, to: lane, now: now) }
        if entry.interval != rhythm.interval.nanoseconds || entry.fastInterval != rhythm.fastInterval.nanoseconds {
            plan(.nanoseconds(entry.interval), rhythm.interval, lane: lane)
            entry.adopt(rhythm)
            entry.nextDue = Self.firstDue(target, rhythm.interval, after: now)
            push(entry.nextDue, slot, entry)
        }
        entry.adopt(rhythm)
        if atOnce { claim(&entry, slot, at: now) }
        entries[slot] = entry
        return lane
    }

    /// Puts a target into another lane. Nothing happens where the target isn't known, or is in that lane.
    package mutating func move(_ target: TargetIdentity, to lane: Int, now: Duration) {
        guard let slot = slots[target], var entry = entries[slot], Int(entry.lane) != lane else { return }
        move(&entry, slot, to: lane, now: now.nanoseconds)
        entries[slot] = entry
    }

    private mutating func add(_ target: TargetIdentity, _ rhythm: ProbeInterval, lane: Int, atOnce: Bool, now: Int64) {
        generations &+= 1
        var entry = ScheduledTarget(
            target: target, rhythm, lane: UInt8(lane), generation: generations,
            nextDue: Self.firstDue(target, rhythm.interval, after: now))
        let slot = freeSlots.popLast() ?? entries.count
        if slot == entries.count { entries.append(nil) }
        slots[target] = slot
        plan(nil, rhythm.interval, lane: lane)
        lanes[lane].pace.count(entry.urgency, by: 1)
        push(entry.nextDue, slot, entry)
        if atOnce { claim(&entry, slot, at: now) }
        entries[slot] = entry
    }

    /// What the target waits for, it waits for in its new lane.
    private mutating func move(_ entry: inout ScheduledTarget, _ slot: Int, to lane: Int, now: Int64) {
        let old = Int(entry.lane)
        plan(.nanoseconds(entry.interval), nil, lane: old)
        plan(nil, .nanoseconds(entry.interval), lane: lane)
        lanes[old].pace.count(entry.urgency, by: -1)
        lanes[lane].pace.count(entry.urgency, by: 1)
        entry.lookedAt = entry.lookedAt.map { lanes[lane].pace.time(at: now) - (lanes[old].pace.time(at: now) - $0) }
        (entry.lane, entry.round) = (UInt8(lane), nil)
        push(entry.nextDue, slot, entry)
        if let due = entry.recheckDue { push(due, slot, entry) }
        if entry.waitingDue != nil {
            lanes[lane].wait(
                ScheduleItem(at: now, slot: slot, generation: entry.generation), isFirst: entry.wasPassedOver)
        }
    }

    /// Forgets a target. A probe of it that is in flight still counts as in flight until it has finished.
    package mutating func remove(_ target: TargetIdentity) {
        guard let slot = slots.removeValue(forKey: target), let entry = entries[slot] else { return }
        plan(.nanoseconds(entry.interval), nil, lane: Int(entry.lane))
        lanes[Int(entry.lane)].pace.count(entry.urgency, by: -1)
        entries[slot] = nil
        freeSlots.append(slot)
        compactIfStale(Int(entry.lane))
    }

    /// A target's interval was added, changed or taken away.
    private mutating func plan(_ old: Duration?, _ new: Duration?, lane: Int) {
        budget.replace(old, with: new)
        lanes[lane].replace(old, with: new)
    }

    /// When ``takeDue(now:lane:load:)`` has work to do next; nil when there is nothing to wait for.
    package func nextDue(lane: Int = 0) -> Duration? {
        // Starts that wait for room are looked at as often as starts are collected.
        lanes[lane].waitsForRoom ? .zero : lanes[lane].heap.min.map { .nanoseconds($0.at) }
    }

    func waitsForRoom(lane: Int = 0) -> Bool { lanes[lane].waitsForRoom }

    func isOverloaded(lane: Int) -> Bool { lanes[lane].pace.isOverloaded }

    /// As ``ScheduleLane/coalescing``.
    func coalescing(lane: Int = 0) -> Duration { lanes[lane].coalescing }

    /// A probe of this lane waits for a place and there is one.
    func hasAdmissible(lane: Int = 0) -> Bool {
        lanes[lane].hasWaiting && !lanes[lane].waitsForRoom && inFlight < maxInFlight
    }

    /// The probes of a lane that may start now, longest waiting first. Who has waited too long, or loses the lot, is passed over: the due time is
    /// missed, and the next one comes as planned.
    package mutating func takeDue(now: Duration, lane: Int = 0, load: LaneLoad? = nil) -> [ProbeStart] {
        let now = now.nanoseconds
        lanes[lane].observe(load, now: now)
        while let item = lanes[lane].takeDue(now: now) {
            guard var entry = living(item, in: lane) else { continue }
            if item.at == entry.nextDue {
                takeRegular(&entry, item, now: now)
            } else if item.at == entry.recheckDue {
                takeRecheck(&entry, item, now: now)
            }
            entries[item.slot] = entry
        }
        let (room, waitedForRoom) = (lanes[lane].room(load), lanes[lane].waitsForRoom)
        lanes[lane].waitsForRoom = false
        var starts: [ProbeStart] = []
        for isFirst in [true, false] {
            startWaiting(
                lane, isFirst: isFirst, room: room, waitedForRoom: waitedForRoom, now: now, &starts)
        }
        lanes[lane].pace.started += starts.count
        return starts
    }

    private mutating func startWaiting(
        _ lane: Int, isFirst: Bool, room: Int, waitedForRoom: Bool, now: Int64, _ starts: inout [ProbeStart]
    ) {
        while let item = lanes[lane].longestWaiting(ofFirst: isFirst) {
            guard var entry = living(item, in: lane), let due = entry.waitingDue else {
                lanes[lane].removeLongestWaiting(ofFirst: isFirst)
                continue
            }
            // One that has taken the place of an earlier due time has its own patience.
            let waitsForPlace = inFlight >= maxInFlight || !waitedForRoom
            let hasLostPatience = waitsForPlace && now - max(item.at, due) > Self.patience.nanoseconds
            // Those that go first are few, and have waited for longest.
            let latenessMax = isFirst ? entry.latenessMax : lanes[lane].pace.latenessMax(entry)
            let isTooLate = starts.count >= room && now - due > latenessMax
            if !hasLostPatience, !isTooLate {
                guard inFlight < maxInFlight else { break }
                guard starts.count < room else {
                    lanes[lane].waitsForRoom = true
                    break
                }
            }
            lanes[lane].removeLongestWaiting(ofFirst: isFirst)
            defer { entries[item.slot] = entry }
            guard !hasLostPatience, !isTooLate, drawsASlot() else {
                if isTooLate {
                    lanes[lane].pace.passedOver += 1
                    entry.wasPassedOver = true
                    // A re-check is counted below, as one that had to wait.
                    if lanes[lane].pace.isOverloaded, !entry.waitsForRecheck { counts.overloadExceptions += 1 }
                }
                passOver(&entry, item, now: now)
                continue
            }
            starts.append(begin(&entry, item, due: due, now: now))
        }
    }

    private mutating func begin(_ entry: inout ScheduledTarget, _ item: ScheduleItem, due: Int64, now: Int64) -> ProbeStart {
        let start = ProbeStart(
            target: entry.target, due: .nanoseconds(due), isRecheck: entry.waitsForRecheck, slot: item.slot,
            generation: item.generation)
        let pace = lanes[Int(entry.lane)].pace
        let time = pace.time(at: now)
        (entry.lookedAt, entry.round) = (time, pace.round(of: entry, at: time))
        (entry.waitingDue, entry.waitingSince, entry.isAtOnce, entry.wasPassedOver) = (nil, nil, false, false)
        (entry.inFlight, entry.startedAt) = (true, now)
        inFlight += 1
        return start
    }

    /// A probe has ended. Returns the lanes for which that makes something due that ``nextDue(lane:)`` didn't know of.
    ///
    /// - Parameters:
    ///   - startedAt: when it really started; nil when it never did.
    ///   - isDown: its target is down, and no probe of it is more urgent than any other.
    package mutating func finish(
        _ start: ProbeStart, startedAt: Duration?, wantsRecheck: Bool, isDown: Bool = false, now: Duration
    ) -> [Int] {
        inFlight -= 1
        var due = lanes.indices.filter { lanes[$0].hasWaiting }
        guard var entry = entries[start.slot], entry.generation == start.generation else { return due }
        defer { entries[start.slot] = entry }
        let lane = Int(entry.lane)
        entry.inFlight = false
        lanes[lane].pace.count(entry.urgency, by: -1)
        entry.urgency = wantsRecheck ? .undecided : isDown ? .down : .settled
        lanes[lane].pace.count(entry.urgency, by: 1)
        if entry.recheckDue != nil {
            // The target was changed while its probe was in flight, and is to be probed at once.
            let at = max(now.nanoseconds, entry.recheckDue ?? 0)
            entry.recheckDue = at
            push(at, start.slot, entry)
        } else if wantsRecheck {
            let previousStart = startedAt?.nanoseconds ?? entry.startedAt
            let at = max(previousStart + entry.fastInterval, now.nanoseconds)
            guard at < entry.nextDue else { return due }
            entry.recheckDue = at
            push(at, start.slot, entry)
        } else {
            return due
        }
        if !due.contains(lane) { due.append(lane) }
        return due
    }

    /// How many targets have had no start, or no end, for `intervals` of their own intervals: what readiness watches. A target of an overloaded lane
    /// may wait for longer: ``intervalsTolerated(_:)``.
    ///
    /// - Parameter slots: those to look at, from 0 to ``slotCount``; what lies past it is left out.
    package func overdue(byIntervals intervals: Int, now: Duration, slots: Range<Int>) -> Int {
        let now = now.nanoseconds
        let tolerated = lanes.map { Int64($0.pace.intervalsTolerated(intervals, now: now)) }
        return entries[slots.clamped(to: 0..<entries.count)].reduce(into: 0) { count, entry in
            guard let entry else { return }
            let since = entry.inFlight ? entry.startedAt : entry.waitingSince ?? entry.nextDue
            if now - since > entry.interval * tolerated[Int(entry.lane)] { count += 1 }
        }
    }

    /// For how many of its intervals a target may go without a probe before something is wrong: `intervals`, or as many as a round of the most
    /// overloaded lane takes and one more.
    package func intervalsTolerated(_ intervals: Int, now: Duration) -> Int {
        lanes.map { $0.pace.intervalsTolerated(intervals, now: now.nanoseconds) }.max() ?? intervals
    }

    /// Each lane's load against its capacity.
    package var overload: [LaneOverload] {
        lanes.map { LaneOverload(plannedPerSecond: $0.plannedPerSecond, stretch: $0.pace.stretch) }
    }

    /// How many slots there are for targets. A target keeps its slot.
    package var slotCount: Int { entries.count }

    private func living(_ item: ScheduleItem, in lane: Int) -> ScheduledTarget? {
        guard let entry = entries[item.slot], entry.generation == item.generation, Int(entry.lane) == lane else { return nil }
        return entry
    }

    private mutating func takeRegular(_ entry: inout ScheduledTarget, _ item: ScheduleItem, now: Int64) {
        let interval = entry.interval
        let passed = (now - entry.nextDue) / interval
        let due = entry.nextDue + passed * interval
        entry.nextDue = due + interval
        push(entry.nextDue, item.slot, entry)
        entry.recheckDue = entry.inFlight ? entry.recheckDue : nil
        if entry.inFlight {
            counts.skippedInFlight += Int(passed) + 1
            return
        }
        counts.missed += Int(passed)
        // The due time before it came without a start, whether it was passed over or still waits.
        if entry.waitingSince != nil { counts.missed += 1 }
        entry.waitingSince = entry.waitingSince ?? item.at
        guard entry.waitingDue != nil || entry.isAtOnce || lanes[Int(entry.lane)].pace.admits(entry, now: now) else {
            counts.overloadExceptions += 1
            return
        }
        if entry.waitingDue == nil { wait(entry, item, now: now) }
        (entry.waitingDue, entry.waitsForRecheck) = (due, false)
    }

    private mutating func takeRecheck(_ entry: inout ScheduledTarget, _ item: ScheduleItem, now: Int64) {
        // In flight: the target was changed meanwhile; `finish` brings the re-check back.
        guard !entry.inFlight else { return }
        entry.recheckDue = nil
        guard entry.waitingDue == nil else { return }
        // Past capacity a second look at one target would be taken from a first look at another.
        let isOverloaded = lanes[Int(entry.lane)].pace.isOverloaded
        guard entry.isAtOnce || !isOverloaded && budget.take(now: now) else {
            if isOverloaded { counts.overloadExceptions += 1 } else { counts.rechecksDeferred += 1 }
            return
        }
        (entry.waitingDue, entry.waitsForRecheck) = (item.at, true)
        wait(entry, item, now: now)
    }

    private mutating func wait(_ entry: ScheduledTarget, _ item: ScheduleItem, now: Int64) {
        let wait = ScheduleItem(at: now, slot: item.slot, generation: item.generation)
        // Nobody is passed over twice in a round, and nobody who has waited for as many intervals as the round has.
        let isFirst = entry.wasPassedOver || lanes[Int(entry.lane)].pace.isLongest(entry, now: now)
        lanes[Int(entry.lane)].wait(wait, isFirst: isFirst)
    }

    private mutating func drawsASlot() -> Bool {
        let free = Double(maxInFlight - inFlight)
        let contested = (Double(maxInFlight) * (1 - Self.lotFrom)).rounded(.down)
        return free >= contested || admissionSampler.draw(chance: free / contested)
    }

    /// It is changed, and has a claim to be probed at once, which it keeps until it is.
    private mutating func claim(_ entry: inout ScheduledTarget, _ slot: Int, at moment: Int64) {
        entry.isAtOnce = true
        guard entry.waitingDue == nil else { return }
        entry.recheckDue = moment
        push(moment, slot, entry)
    }

    /// Its due time goes by without a probe. A re-check's was none: it waits for the normal one.
    private mutating func passOver(_ entry: inout ScheduledTarget, _ item: ScheduleItem, now: Int64) {
        entry.waitingDue = nil
        if entry.isAtOnce {
            claim(&entry, item.slot, at: now + Self.claimAgainAfter.nanoseconds)
        } else if entry.waitsForRecheck {
            counts.rechecksDeferred += 1
        }
    }

    private mutating func push(_ at: Int64, _ slot: Int, _ entry: ScheduledTarget) {
        lanes[Int(entry.lane)].heap.insert(ScheduleItem(at: at, slot: slot, generation: entry.generation))
    }

    /// Items of targets that have gone stay in the heap until their time comes; when they outnumber the living it is built anew.
    private mutating func compactIfStale(_ lane: Int) {
        guard lanes[lane].heap.count > 4 * slots.count + 1024 else { return }
        lanes[lane].heap = Heap(lanes[lane].heap.unordered.filter { living($0, in: lane) != nil })
    }

    private static func firstDue(_ target: TargetIdentity, _ interval: Duration, after now: Int64) -> Int64 {
        let length = max(1, interval.nanoseconds)
        let phase = stablePhase(of: target, interval: length)
        let past = (now - phase).quotientAndRemainder(dividingBy: length)
        let first = phase + (past.remainder > 0 ? past.quotient + 1 : past.quotient) * length
        return max(first, phase)
    }
}
