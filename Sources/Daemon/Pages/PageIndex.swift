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
        /// By slot, the place of each target in the order of names.
        let nameRanks: [Int32]
        let choices: TargetListPage.Choices
        let version: UInt64

        func p95(slot: Int) -> UInt32? { slot < p95.count && p95[slot] > 0 ? p95[slot] : nil }
    }

    /// What became known of one target in some time.
    struct DayRow: Sendable {
        var slot: Int
        var identity: TargetIdentity
        var sums: StateSums
        /// In microseconds.
        var p95: UInt32
    }

    private struct State {
        var index = TargetIndex()
        /// Targets whose days before they came nobody has asked for.
        var new: Set<TargetIdentity> = []
        var nameRanks: [Int32] = []
        var choices = TargetListPage.Choices(regions: [], hosts: [], clients: [])
        var certificates = CertificateTable()
        var days: DayTable
        var p95: [UInt32] = []
        /// Goes up when days are added.
        var daysVersion: UInt64 = 0

        /// As it was verified, or as it was presented where it has expired: then it was not verified.
        mutating func takeCertificate(of judged: JudgedResult, slot: Int) {
            let facts = judged.result.facts
            if let leaf = facts.leaf, let expiry = facts.certificateExpiry {
                certificates.set(leaf, expiry: expiry, slot: slot)
            } else if judged.judgement.outcome.reason == .certificateExpired, let shown = judged.evidence?.certificates.first,
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

        mutating func add(_ row: DayRow, day: Int64, takesP95: Bool) {
            guard index.identity(slot: row.slot)?.identity == row.identity else { return }
            days.add(row.sums, day: day, slot: row.slot)
            guard takesP95 else { return }
            if p95.count <= row.slot { p95.append(contentsOf: repeatElement(0, count: row.slot + 1 - p95.count)) }
            p95[row.slot] = row.p95
        }

        mutating func clear(slot: Int) {
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
        for part in stride(from: 0, to: targets.count, by: TargetRegistry.scanStep) {
            state.withLock { state in
                for target in targets[part..<min(part + TargetRegistry.scanStep, targets.count)] {
                    unseen.remove(target.slot)
                    if state.index.holds(target.identity, slot: target.slot) { continue }
                    guard state.index.set(target.identity, slot: target.slot, live: target.live) else { continue }
                    state.clear(slot: target.slot)
                    state.new.insert(target.identity.identity)
                }
            }
        }
        state.withLock { state in
            for slot in unseen {
                state.index.remove(slot: slot)
                state.clear(slot: slot)
            }
        }
        // The order of the names takes long, and changes with the list alone.
        let index = state.withLock { $0.index }
        guard index.listVersion != before.listVersion else { return }
        let (ranks, choices) = (index.nameRanks, index.choices)
        state.withLock { ($0.nameRanks, $0.choices) = (ranks, choices) }
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
                state.index.set(TargetIndex.Identity(judged.target, host: judged.url?.host), slot: slot)
                state.new.insert(result.target)
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
        for part in stride(from: 0, to: rows.count, by: TargetRegistry.scanStep) {
            state.withLock { state in
                for row in rows[part..<min(part + TargetRegistry.scanStep, rows.count)] {
                    state.add(row, day: day, takesP95: takesP95)
                }
            }
        }
        state.withLock { state in
            state.days.throughHour = max(state.days.throughHour, hour)
            state.daysVersion += 1
        }
    }

    /// Another day has begun.
    ///
    /// - Parameter leaving: the sums of the days that leave the window, by day and slot.
    func begin(day: Int64, without leaving: [Int64: [Int: StateSums]]) {
        state.withLock { state in
            state.days.begin(day: day, without: leaving)
            state.daysVersion += 1
        }
    }

    var today: Int64 { state.withLock { $0.days.today } }

    /// Which slot each target has, and which of them came since this was asked last.
    func takeSlots() -> (slots: [TargetIdentity: Int], new: Set<TargetIdentity>) {
        let (index, new) = state.withLock { state in
            defer { state.new = [] }
            return (state.index, state.new)
        }
        var slots: [TargetIdentity: Int] = [:]
        slots.reserveCapacity(index.count)
        for slot in index.slots { if let identity = index.identity(slot: slot) { slots[identity.identity] = slot } }
        return (slots, new)
    }

    /// What was taken and could not be read is asked for again.
    func askAgain(_ targets: Set<TargetIdentity>) { state.withLock { $0.new.formUnion(targets) } }

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
                nameRanks: state.nameRanks, choices: state.choices, version: (copy?.snapshot.version ?? 0) + 1)
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
