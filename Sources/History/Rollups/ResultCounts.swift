import Health

/// The counts of some results. Every result is counted here: by minute while it is moved, by hour or by step where it is read.
struct ResultCounts: Hashable, Sendable {
    /// Results that counted.
    var probes = 0
    var failures = 0
    var voids = 0
    /// By the reason's word.
    var reasons: [String: Int] = [:]
    /// Of probes that succeeded, in microseconds. A refused connection is quick, and says nothing of the target.
    var sum: Int64 = 0
    var least: Int64?
    var most: Int64?

    var isEmpty: Bool { probes == 0 && voids == 0 }

    /// - Parameters:
    ///   - duration: in microseconds.
    ///   - reason: why the probe failed.
    /// - Returns: whether the duration counts as a latency: the probe succeeded, and its result is not void.
    mutating func add(_ duration: Int64, isCounted: Bool, reason: String?) -> Bool {
        guard isCounted else {
            voids &+= 1
            return false
        }
        probes &+= 1
        if let reason {
            failures &+= 1
            reasons[reason, default: 0] += 1
            return false
        }
        sum &+= duration
        least = min(least ?? duration, duration)
        most = max(most ?? duration, duration)
        return true
    }

    /// A damaged row may have any number, so counts and sums may overflow.
    mutating func merge(_ other: ResultCounts) {
        probes &+= other.probes
        failures &+= other.failures
        voids &+= other.voids
        reasons.merge(other.reasons, uniquingKeysWith: +)
        sum &+= other.sum
        least = [least, other.least].compactMap(\.self).min()
        most = [most, other.most].compactMap(\.self).max()
    }
}
