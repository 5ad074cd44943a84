import Alerting
import Curl
import Exposition
import Health
import Logging
import Scheduling

/// Tells everybody whether the lanes can start their probes on time: the alert, the metrics, the log, and who asks for how many intervals a target
/// may go without a probe.
struct LaneMonitor: Sendable {
    /// An overload that passes sooner is nobody's alert.
    private static let alertAfter: Duration = .seconds(30)
    /// After so long without another the overload is over. A lane that is near its capacity goes in and out.
    private static let calmAfter: Duration = .seconds(60)
    /// The busy ratio is that of so many seconds.
    private static let ratioOver: Duration = .seconds(5)

    let scheduler: Scheduler<EngineClock>
    let registry: TargetRegistry
    let alerter: Alerter
    let metrics: DaemonMetrics
    let logger: Logger

    /// What is known from one check to the next.
    struct Memory {
        var busyBefore: [Duration] = []
        var ratios: [Double] = []
        var measuredAt: ContinuousClock.Instant?
        var overload = OverloadState()
    }

    func check(_ memory: inout Memory, at now: ContinuousClock.Instant) {
        let lanes = scheduler.overload
        let isOverloaded = lanes.contains(where: \.isOverloaded)
        measure(&memory, at: now)
        metrics.setLanes(busyRatios: memory.ratios, isOverloaded: isOverloaded)
        registry.tolerate(intervals: scheduler.intervalsTolerated(Judge.intervalsTolerated))
        let news = memory.overload.note(isOverloaded, at: now, alertAfter: Self.alertAfter, calmAfter: Self.calmAfter)
        let sentence = OverloadSentence(lanes, targets: registry.count)
        switch news {
        case .begins: logger.error("overloaded: \(sentence.text)")
        case .ends: logger.notice("no longer overloaded: every probe that falls due is started again")
        case nil: break
        }
        alerter.set(
            .proberOverloaded, isFiring: memory.overload.isFiring, at: .now(), summary: "Rangefinder has more to do than it can",
            description: sentence.text)
    }

    private func measure(_ memory: inout Memory, at now: ContinuousClock.Instant) {
        let passed = memory.measuredAt.map { $0.duration(to: now) } ?? .zero
        guard memory.measuredAt == nil || passed >= Self.ratioOver else { return }
        let busy = scheduler.loads.map(\.busy)
        memory.ratios = busy.indices.map { lane in
            guard passed > .zero, lane < memory.busyBefore.count else { return 0 }
            return min(1, max(0, (busy[lane] - memory.busyBefore[lane]) / passed))
        }
        (memory.busyBefore, memory.measuredAt) = (busy, now)
    }
}

/// Since when there is an overload, and whether that is worth an alert.
struct OverloadState {
    enum News: Hashable { case begins, ends }

    private var since: ContinuousClock.Instant?
    private var lastAt: ContinuousClock.Instant?
    private var checkedAt: ContinuousClock.Instant?
    private var beganAt: ContinuousClock.Instant?
    /// How long the daemon was overloaded, of the time since ``since``.
    private var overloaded = Duration.zero
    /// nil as long as nothing is known: an alert of an earlier life isn't over because this one has just begun.
    private(set) var isFiring: Bool?

    /// Returns what is new.
    mutating func note(
        _ isOverloaded: Bool, at now: ContinuousClock.Instant, alertAfter: Duration, calmAfter: Duration
    ) -> News? {
        beganAt = beganAt ?? now
        defer { checkedAt = now }
        if isOverloaded {
            if let lastAt, lastAt == checkedAt { overloaded += lastAt.duration(to: now) }
            lastAt = now
            let begins = since == nil
            since = since ?? now
            if overloaded >= alertAfter { isFiring = true }
            return begins ? .begins : nil
        }
        guard let calmSince = lastAt ?? beganAt, calmSince.duration(to: now) >= calmAfter else { return nil }
        isFiring = false
        guard since != nil else { return nil }
        (since, overloaded) = (nil, .zero)
        return .ends
    }
}

/// How much falls due, and how much of it this machine can do.
struct OverloadSentence {
    let text: String

    init(_ lanes: [LaneOverload], targets: Int) {
        let planned = lanes.reduce(0) { $0 + $1.plannedPerSecond }
        let made = lanes.reduce(0) { $0 + ($1.isOverloaded ? $1.capacityPerSecond : $1.plannedPerSecond) }
        let stretch = lanes.map(\.stretch).max() ?? 1
        let enough = planned > 0 ? Int(Double(targets) * made / planned) : targets
        text =
            "\(Int(planned.rounded())) probes fall due in a second, and about \(Int(made.rounded())) can be made on time. So each target is probed "
            + "once in up to \(Int(stretch.rounded(.up))) of its intervals, and outages are found later. At these intervals this machine can watch about "
            + "\(enough) of the \(targets) targets: raise probe.interval, add processors, or share the targets out (targets_api.shard)"
    }
}
