import Curl
import Health
import Probing

/// A policy that many targets share. The program holds it once, and not once a target.
final class SharedPolicy: Sendable {
    let value: ProbePolicy
    init(_ value: ProbePolicy) { self.value = value }
}

/// The number of one form of a target: a target that is added, or is probed at another URL from now on, gets a new number. No two are the same.
/// A result of an older registration counts for nothing.
typealias Registration = UInt64

/// One target of the ``TargetRegistry``, which owns it: nobody else reads or changes it.
///
/// It is an object, because a table of a hundred thousand large values is mostly room to grow.
final class RegisteredTarget {
    var target: Target
    /// What a probe of the target asks for: made when the target came or changed. nil when the record allows none.
    var url: URLParts?
    var policy: SharedPolicy
    var judge: Judge
    var registration: Registration
    /// The registry's slot that holds the target.
    let slot: Int32
    /// Whether the target's last result failed, as far as the judge of the vantage was told.
    var isHostToldBad = false
    /// The target's host has an id from the target's first result on.
    var host: HostTable.ID?
    var lastGood: LastGood?
    /// The generation of the history that has the judge as it is; 0 for none.
    var judgeIsWrittenIn: UInt32 = 0
    /// Goes up with each probe.
    var turn: UInt64 = 0
    /// What the check of the other addresses found in this interval.
    var otherAddresses: OtherAddresses?
    /// The last reconciliation that wanted the target.
    var wanted: UInt64 = 0

    init(target: Target, url: URLParts?, policy: SharedPolicy, judge: Judge, registration: Registration, slot: Int32) {
        (self.target, self.url, self.policy, self.judge) = (target, url, policy, judge)
        (self.registration, self.slot) = (registration, slot)
    }

    /// The next probe. A probe that is no re-check begins a new interval, and with it the other addresses may be checked again.
    func nextOrder(_ egress: EgressRule, due: ContinuousClock.Instant, isRecheck: Bool) -> ProbeOrder {
        turn &+= 1
        if !isRecheck { otherAddresses = nil }
        return ProbeOrder(
            target: target, url: url, policy: policy.value, egress: egress, due: due, turn: turn, otherAddresses: otherAddresses)
    }

    /// The target is probed at another URL from now on: what was learned at the old one is forgotten.
    func move(_ registration: Registration) {
        self.registration = registration
        judge.urlChanged()
        judgeIsWrittenIn = 0
        (otherAddresses, lastGood) = (nil, nil)
    }
}
