import Curl
import Health
import LockOrder
import Pages

/// What the pages know of each target: fed by results, lists and the rows of days, and copied for a page at most once a second.
final class PageIndex: Sendable {
    private static let copiedAtMostEvery: Duration = .seconds(1)

    /// What a page is made of: nothing in it changes any more.
    struct Snapshot: Sendable {
        let index: TargetIndex
        let days: DayTable
        let certificates: CertificateTable
        /// By slot, of the last hour that is over, in microseconds; 0 where nothing is known.
        let p95: [UInt32]
        let version: UInt64

        func p95(slot: Int) -> UInt32? { slot < p95.count && p95[slot] > 0 ? p95[slot] : nil }
    }

    /// A slot for as long as one target has it. Smaller than the target's identity.
    struct Place: Hashable, Sendable {
        let slot: Int32
        fileprivate let generation: UInt32
    }

    /// What became known of one target in some time.
    struct DayRow: Sendable {
        var place: Place
        var sums: StateSums
        /// In microseconds.
        var p95: UInt32
    }

    private struct State {
        var index = TargetIndex()
        /// Targets whose days before they came nobody has asked for.
        var new: Set<Place> = []
        /// By slot, how many targets have had it.
        var generations: [UInt32] = []
        var certificates = CertificateTable()
        var days: DayTable
        var p95: [UInt32] = []
        /// Goes up when days are added.
        var daysVersion: UInt64 = 0

        /// As it was verified, or as it was presented where that failed.
        mutating func takeCertificate(of judged: JudgedResult, slot: Int) {
            let facts = judged.result.facts
            if let leaf = facts.leaf, let expiry = facts.certificateExpiry {
                certificates.set(leaf, expiry: expiry, slot: slot)
            } else if !judged.judgement.outcome.isSuccess, let shown = judged.evidence?.certificates.first,
                let expiry = facts.certificateExpiry ?? shown.notAfter
            {
                certificates.set(
                    LeafCertificate(fingerprint: Hex.bytes(shown.fingerprint)) {
                        .init(subject: shown.subject, issuer: shown.issuer, hosts: shown.names)
                    }, expiry: expiry, slot: slot)
            } else if judged.judgement.outcome.isSuccess, !facts.usedTLS {
                certificates.clear(slot: slot)
            }
        }

        /// nil of a row of a target that had the slot before.
        func slot(of row: DayRow) -> Int? {
            let slot = Int(row.place.slot)
            return slot < generations.count && generations[slot] == row.place.generation ? slot : nil
        }

        mutating func add(_ row: DayRow, day: Int64, takesP95: Bool) {
            guard let slot = slot(of: row) else { return }
            days.add(row.sums, day: day, slot: slot)
            guard takesP95 else { return }
            if p95.count <= slot { p95.append(contentsOf: repeatElement(0, count: slot + 1 - p95.count)) }
            p95[slot] = row.p95
        }

        func place(slot: Int) -> Place { Place(slot: Int32(slot), generation: slot < generations.count ? generations[slot] : 0) }

        /// A target comes, or has another form.
        mutating func set(_ identity: TargetIndex.Identity, slot: Int, live: TargetIndex.Live? = nil) {
            guard index.set(identity, slot: slot, live: live) else { return }
            clear(slot: slot)
            new.insert(place(slot: slot))
        }

        mutating func remove(slot: Int) {
            index.remove(slot: slot)
            clear(slot: slot)
        }

        /// Another target has the slot from now on, or none.
        private mutating func clear(slot: Int) {
            if generations.count <= slot {
                generations.append(contentsOf: repeatElement(0, count: slot + 1 - generations.count))
            }
            new.remove(place(slot: slot))
            generations[slot] &+= 1
            days.clear(slot: slot)
            certificates.clear(slot: slot)
            if slot < p95.count { p95[slot] = 0 }
        }
    }

    private struct Copy {
        var snapshot: Snapshot
        var madeAt: ContinuousClock.Instant
        var seen: [UInt64]
    }

    private let state: OrderedMutex<State>
    private let copy = OrderedMutex<Copy?>(nil, rank: .pageCopy)

    init(today: Int64) { state = OrderedMutex(State(days: DayTable(today: today))) }

    // MARK: Lists

    /// Takes what a reconciliation has left, target by target. What isn't in it is gone.
    func replace(_ targets: [(slot: Int, identity: TargetIndex.Identity, live: TargetIndex.Live?)]) {
        let before = state.withLock { $0.index }
        var unseen = Set(before.slots)
        inParts(of: targets.count) { state, part in
            for target in targets[part] {
                unseen.remove(target.slot)
                if state.index.holds(target.identity, slot: target.slot) { continue }
                state.set(target.identity, slot: target.slot, live: target.live)
            }
        }
        let gone = Array(unseen)
        inParts(of: gone.count) { state, part in for slot in gone[part] { state.remove(slot: slot) } }
        group()
    }

    /// Works out what follows from the list: outside the lock, for it takes long. A first result that came meanwhile may have brought another target.
    private func group() {
        while true {
            let index = state.withLock { $0.index }
            if index.isGrouped { return }
            let groups = index.grouped()
            if state.withLock({ $0.index.take(groups, ofList: index.listVersion) }) { return }
        }
    }

    // MARK: Results

    /// Takes a judged result. A void one says nothing of the target.
    func record(_ judged: JudgedResult) {
        guard judged.result.void == nil else { return }
        let (result, judge, outcome, slot) = (judged.result, judged.judge, judged.judgement.outcome, Int(judged.slot))
        let isWell = judge.status == .up && outcome == .good
        // Of a target that is down, a good result doesn't say why.
        let saysLess = judge.status == .down && outcome.isSuccess
        let said = isWell ? nil : TargetIndex.Said(result.sentence, address: result.facts.address)
        state.withLock { state in
            // A target's first result may come before the list has been gone through.
            if state.index.identity(slot: slot) == nil {
                state.set(TargetIndex.Identity(judged.target, host: judged.url?.host), slot: slot)
            }
            state.index.change(slot: slot, of: result.target, said: said, keepsSaid: saysLess) { live in
                live.since = judged.judgement.transition?.at ?? live.since
                live.status = judge.status
                live.reason = saysLess ? judge.incident?.reason ?? live.reason : outcome.reason
                live.cause = judge.cause ?? outcome.cause
                live.isUnprobeable = judge.isUnprobeable
                live.httpStatus = UInt16(clamping: result.facts.httpStatus ?? 0)
                live.microseconds = UInt32(clamping: max(1, result.duration.wholeMicroseconds))
                live.lastAt = result.startedAt
            }
            guard state.index.identity(slot: slot)?.identity == result.target else { return }
            state.takeCertificate(of: judged, slot: slot)
        }
    }

    /// A target is no longer watched. Told in the order of its results.
    func remove(_ target: TargetIdentity, slot: Int) {
        state.withLock { state in
            if state.index.identity(slot: slot)?.identity == target { state.remove(slot: slot) }
        }
    }

    /// The certificate that a target showed last, as it was verified.
    func certificate(slot: Int) -> Evidence.Certificate? { state.withLock { $0.certificates.certificate(slot: slot) } }

    // MARK: Days

    /// What became known of a day.
    ///
    /// - Parameters:
    ///   - through: hours since 1970 before this one are added now.
    ///   - takesP95: also takes the percentiles of these rows, which are those of the last hour that is over.
    func add(_ rows: [DayRow], day: Int64, through hour: Int64, takesP95: Bool = false) {
        // Who has nothing in that hour has no percentile of it.
        if takesP95 { state.withLock { $0.p95 = [] } }
        inParts(of: rows.count) { state, part in
            for row in rows[part] { state.add(row, day: day, takesP95: takesP95) }
        }
        state.withLock { state in
            state.days.throughHour = max(state.days.throughHour, hour)
            state.daysVersion += 1
        }
    }

    /// Another day has begun.
    ///
    /// - Parameter leaving: the rows of the days that leave the window, by day.
    func begin(day: Int64, without leaving: [Int64: [DayRow]]) {
        for (old, rows) in leaving {
            inParts(of: rows.count) { state, part in
                for row in rows[part] {
                    if let slot = state.slot(of: row) { state.days.subtract(row.sums, day: old, slot: slot) }
                }
            }
        }
        let slots = state.withLock { $0.days.slotCount }
        inParts(of: slots) { state, part in state.days.makeRoom(until: day, slots: part) }
        state.withLock { state in
            // Those that came meanwhile.
            state.days.makeRoom(until: day, slots: slots..<max(slots, state.days.slotCount))
            state.days.begin(day: day)
            state.daysVersion += 1
        }
    }

    /// Those who record results wait for a part at the most.
    private func inParts(of count: Int, _ body: (inout State, Range<Int>) -> Void) {
        for first in stride(from: 0, to: count, by: TargetRegistry.scanStep) {
            state.withLock { body(&$0, first..<min(first + TargetRegistry.scanStep, count)) }
        }
    }

    /// The oldest day of the window of which anything was added; nil when there is none.
    var oldestDay: Int64? { state.withLock { $0.days.oldest } }

    var today: Int64 { state.withLock { $0.days.today } }

    /// nil when another target has the slot, and for a target that is new: whoever takes it first adds all of its days.
    func place(of target: TargetIdentity, slot: Int) -> Place? {
        state.withLock { state in
            let place = state.place(slot: slot)
            return state.index.identity(slot: slot)?.identity == target && !state.new.contains(place) ? place : nil
        }
    }

    var hasNew: Bool { state.withLock { !$0.new.isEmpty } }

    /// The history has begun anew, or has lost days: nothing is known of any.
    func forgetDays(today: Int64) {
        state.withLock { state in
            (state.days, state.p95) = (DayTable(today: today), [])
            state.daysVersion += 1
        }
    }

    /// The targets that came since this was asked last.
    func takeNew() -> Set<Place> {
        state.withLock { state in
            defer { state.new = [] }
            return state.new
        }
    }

    /// What was taken and could not be read is asked for again.
    func askAgain(_ places: Set<Place>) {
        state.withLock { state in
            state.new.formUnion(places.filter { state.place(slot: Int($0.slot)) == $0 })
        }
    }

    // MARK: What a page is made of

    /// Not older than a second.
    func snapshot(at now: ContinuousClock.Instant = .now) -> Snapshot {
        copy.withLock { copy in
            if let copy, copy.madeAt.duration(to: now) < Self.copiedAtMostEvery { return copy.snapshot }
            let state = state.withLock(\.self)
            let seen = [state.index.version, state.index.listVersion, state.daysVersion]
            if let known = copy, known.seen == seen {
                copy?.madeAt = now
                return known.snapshot
            }
            let snapshot = Snapshot(
                index: state.index, days: state.days, certificates: state.certificates, p95: state.p95,
                version: (copy?.snapshot.version ?? 0) + 1)
            copy = Copy(snapshot: snapshot, madeAt: now, seen: seen)
            return snapshot
        }
    }
}

extension TargetIndex.Identity {
    init(_ target: Target, host: String?) {
        self.init(identity: target.identity, name: target.name, region: target.region, host: host)
    }
}
