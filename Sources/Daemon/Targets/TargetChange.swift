import Curl
import Health
import Probing

/// What has happened to a target. Whoever follows targets is told of it by ``TargetFollowers``, after the registry's lock is free.
enum TargetChange: Sendable {
    case judged(JudgedResult)
    /// The target is probed at another URL from now on.
    case moved(TargetIdentity, at: Timestamp)
    /// The target is no longer watched. An incident that was open was closed by that.
    case removed(TargetIdentity, slot: Int32, Incident?, at: Timestamp)

    var target: TargetIdentity {
        switch self {
        case .judged(let judged): judged.result.target
        case .moved(let identity, _), .removed(let identity, _, _, _): identity
        }
    }
}

/// A result, and what the target's judge made of it.
struct JudgedResult: Sendable {
    var result: ProbeResult
    var judgement: Judgement
    var judge: Judge
    /// Whether the judge has changed, and not only by when it last counted a result.
    var isJudgeNews: Bool
    var target: Target
    /// Where the registry has the target.
    var slot: Int32
    /// nil when the record allows none.
    var url: URLParts?
    var policy: SharedPolicy
    var intervalsTolerated: Int
    /// Whether the number of targets that can't be probed has changed.
    var changesUnprobeable: Bool
    var changesCause: Bool
    /// nil when the probe never started.
    var startedAt: ContinuousClock.Instant?
    /// The class of the target's host.
    var hostClass: HostClass
    /// The last good result, which may be this one.
    var lastGood: LastGood?
    /// Of a failure that counts.
    var evidence: Evidence?
    /// What the check of the other addresses found in this interval.
    var otherAddresses: OtherAddresses?
}

/// The changes that are being told just now: those of one target one after the other, in the order in which they happened.
///
/// Whoever changes a target tells the change. Where an earlier change of the same target is still being told, by another thread, that thread
/// tells both. So no lock is held while others are told, and nobody hears of a removal before the last result.
struct ChangeOrder: Sendable {
    /// What waits behind the change that is being told, by target. Nearly always empty.
    private var waiting: [TargetIdentity: [TargetChange]] = [:]

    /// Returns the change for the caller to tell, who then calls ``next(after:)`` until there is nothing more. nil when another thread tells it.
    mutating func begin(_ change: TargetChange) -> TargetChange? {
        let target = change.target
        guard waiting[target] == nil else {
            waiting[target]?.append(change)
            return nil
        }
        waiting[target] = []
        return change
    }

    /// One change of the target has been told. Returns the next one that the caller is to tell; nil when it is done.
    mutating func next(after target: TargetIdentity) -> TargetChange? {
        guard let first = waiting[target]?.first else {
            waiting[target] = nil
            return nil
        }
        waiting[target]?.removeFirst()
        return first
    }
}
