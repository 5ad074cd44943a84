import Health
import History
import LockOrder

/// What failing targets said, from a target's first failure to the end of its incident: what of it is to be kept with the incident, and when.
///
/// It is asked about each failure. It keeps no more than ``waitingBytesMax`` of what isn't written yet: when everything fails at once, incidents
/// past that have no first failure.
final class EvidenceBook: Sendable {
    static let waitingBytesMax = 16 << 20
    /// While an incident goes on, what its target said last is written so often, and at once when it says something else.
    static let writtenEvery: Duration = .seconds(300)

    /// Apart, because most targets that fail have none that waits.
    private final class Waiting: Sendable {
        let evidence: Evidence
        init(_ evidence: Evidence) { self.evidence = evidence }
    }

    /// Of one target.
    private struct Entry {
        /// The first failure until the incident is confirmed, and from then on the last one that isn't written.
        var waiting: Waiting?
        /// What was last written, as far as it is told apart: a request's number in a page makes no other page.
        var written: Int?
        var writtenAt: Timestamp?
    }

    private struct State {
        var entries: [TargetIdentity: Entry] = [:]
        var waitingBytes = 0

        /// Nothing where there is no room for it.
        mutating func wait(_ evidence: Evidence, for target: TargetIdentity) {
            drop(target)
            guard waitingBytes + evidence.bytes <= waitingBytesMax else { return }
            waitingBytes += evidence.bytes
            entries[target, default: Entry()].waiting = Waiting(evidence)
        }

        mutating func take(_ target: TargetIdentity) -> Evidence? {
            let waiting = entries[target]?.waiting?.evidence
            drop(target)
            return waiting
        }

        private mutating func drop(_ target: TargetIdentity) {
            guard let waiting = entries[target]?.waiting else { return }
            entries[target]?.waiting = nil
            waitingBytes -= waiting.evidence.bytes
        }

        mutating func forget(_ target: TargetIdentity) {
            // Nearly always.
            if entries.isEmpty { return }
            drop(target)
            entries[target] = nil
        }
    }

    private let state = OrderedMutex(State())

    /// What is to be kept of a result with its target's incident. The results of one target come one after the other.
    ///
    /// - Parameter certificate: that the target showed last, as it was verified; asked for when an incident begins.
    func notes(on judged: JudgedResult, certificate: () -> Evidence.Certificate?) -> [IncidentNote] {
        guard judged.result.void == nil else { return [] }
        let target = judged.result.target
        switch judged.judgement.incident {
        case .opened(let incident): return opening(incident, judged, certificate())
        case .updated(let incident): return judged.evidence.flatMap { later(incident, $0) }.map { [$0] } ?? []
        case .closed(let incident): return end(of: incident).map { [$0] } ?? []
        case nil:
            state.withLock { state in
                if let evidence = judged.evidence, !judged.judgement.outcome.isSuccess {
                    // A run of failures may have ended without a success: by a long time without results.
                    let isFirst = judged.judge.streaks.badSince == evidence.at
                    if isFirst { state.wait(evidence, for: target) }
                } else if judged.judge.incident == nil {
                    state.forget(target)
                }
            }
            return []
        }
    }

    /// The incident has ended, also by the removal of its target. Returns what the target said last, if that isn't written.
    func end(of incident: Incident) -> IncidentNote? {
        let last = state.withLock { state -> Evidence? in
            defer { state.forget(incident.target) }
            // What waits before the incident is written is its first failure.
            return state.entries[incident.target]?.written == nil ? nil : state.take(incident.target)
        }
        return last.map { IncidentNote(target: incident.target, startedAt: incident.startedAt, .evidence(.lastBad, $0)) }
    }

    /// The target is watched no longer, or is another one from now on.
    func forget(_ target: TargetIdentity) { state.withLock { $0.forget(target) } }

    private func opening(
        _ incident: Incident, _ judged: JudgedResult, _ certificate: Evidence.Certificate?
    ) -> [IncidentNote] {
        let policy = judged.policy.value
        var changes: [IncidentNote.Change] = [.confirmed(interval: policy.interval, bound: policy.detectionBound)]
        // After a restart in the middle of a run nobody knows what the first failure said.
        let candidates = [state.withLock { $0.take(incident.target) }, judged.evidence].compactMap(\.self)
        if let first = candidates.first(where: { $0.at == incident.startedAt }) { changes.append(.evidence(.firstBad, first)) }
        if let last = judged.evidence {
            changes.append(.evidence(.lastBad, last))
            state.withLock { $0.entries[incident.target] = Entry(written: last.gist, writtenAt: last.at) }
        }
        if var good = judged.lastGood?.evidence {
            if let certificate { good.certificates = [certificate] }
            changes.append(.evidence(.lastGood, good))
        }
        return changes.map { IncidentNote(target: incident.target, startedAt: incident.startedAt, $0) }
    }

    private func later(_ incident: Incident, _ evidence: Evidence) -> IncidentNote? {
        let isDue = state.withLock { state in
            let entry = state.entries[incident.target]
            let isNews = entry?.written != evidence.gist
            guard isNews || entry?.writtenAt.map({ evidence.at - $0 >= Self.writtenEvery }) ?? true else {
                state.wait(evidence, for: incident.target)
                return false
            }
            _ = state.take(incident.target)
            state.entries[incident.target] = Entry(written: evidence.gist, writtenAt: evidence.at)
            return true
        }
        guard isDue else { return nil }
        return IncidentNote(target: incident.target, startedAt: incident.startedAt, .evidence(.lastBad, evidence))
    }
}

extension Evidence {
    /// About.
    fileprivate var bytes: Int {
        320 + (headers?.utf8.count ?? 0) + (body?.count ?? 0) + addresses.count * 64 + certificates.count * 400
    }

    /// The same of answers that say the same to a person: each may have a time, a number of its request and another server behind it.
    fileprivate var gist: Int {
        var hasher = Hasher()
        hasher.combine(httpStatus)
        hasher.combine(headers?.prefix { $0 != "\n" })
        hasher.combine(contentType)
        hasher.combine(certificates.map(\.fingerprint))
        return hasher.finalize()
    }
}
