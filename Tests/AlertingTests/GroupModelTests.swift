import Health
import TestSupport
import Testing

@testable import Alerting

/// Random outages, recoveries, restarts and pauses, and what whoever reads the messages knows of each outage afterwards.
@Suite struct GroupModelTests {
    @Test func inTenThousandRandomSequencesEachOutageIsToldOnceAndRightAtLast() {
        for seed in 0..<10_000 {
            var run = Run(seed: UInt64(seed))
            for _ in 0..<40 { run.step() }
            let complaints = run.finish()
            #expect(complaints.isEmpty, "seed \(seed): \(complaints)")
            if !complaints.isEmpty { return }
        }
    }
}

private struct Run {
    /// What a reader of the messages knows of an outage.
    struct Told {
        var isFiring: Bool
        var firings = 0
    }

    struct Outage {
        let alert: Alert
        let began: ContinuousClock.Instant
        let losses: Losses
        var ended: (at: ContinuousClock.Instant, losses: Losses)?
    }

    /// What may make a window longer.
    struct Losses {
        /// Restarts before a window's end was written: it begins anew.
        var windows = 0
        /// Seconds without a life.
        var seconds = 0
    }

    static let window: Duration = .seconds(10)
    private var random: SeededGenerator
    private var book = GroupBook(window: window)
    private var saved: (groups: [String: AlertGroup], windows: [String: ContinuousClock.Instant]) = ([:], [:])
    private var now = ContinuousClock.now
    private var wall = Timestamp(milliseconds: 1_700_000_000_000)
    private var alerts: [String: Alert] = [:]
    private var outages: [String: Outage] = [:]
    private var told: [String: Told] = [:]
    private var losses = Losses()
    private var complaints: [String] = []
    private var sequences: [String: Int] = [:]

    init(seed: UInt64) { random = SeededGenerator(state: seed) }

    private mutating func happens(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    mutating func step() {
        pass(Int.random(in: 1...6, using: &random))
        for target in 0..<7 where happens(12) { toggle(target) }
        if happens(6) { restart() }
        hear(book.tick(at: now))
        // A crash may come before they are written.
        if happens(80) { saved.windows = book.windows }
    }

    private mutating func pass(_ seconds: Int) { (now, wall) = (now.advanced(by: .seconds(seconds)), wall + .seconds(seconds)) }

    private mutating func toggle(_ target: Int) {
        // Three of one host, two of another, and two on hosts of their own: with all of them in one region.
        let host = ["h", "h", "h", "i", "i", "j", "k"][target]
        let made = Sample.alert(
            "t\(target)", host: "\(host).example", at: (wall.milliseconds - 1_700_000_000_000) / 1000)
        if var known = alerts[made.key], known.isFiring {
            known.end(.recovered, at: wall)
            alerts[made.key] = known
            outages[known.outage]?.ended = (now, losses)
            hear(book.apply(known, at: now))
        } else {
            alerts[made.key] = made
            outages[made.outage] = Outage(alert: made, began: now, losses: losses)
            hear(book.apply(made, at: now))
        }
    }

    private mutating func restart() {
        let seconds = Int.random(in: 0...20, using: &random)
        losses.seconds += seconds
        if saved.windows != book.windows { losses.windows += 1 }
        pass(seconds)
        book = GroupBook(window: Self.window)
        for group in saved.groups.values.sorted(by: { $0.id < $1.id }) { book.restore(group, at: now) }
        for (id, end) in saved.windows { book.restore(window: id, ending: end, at: now) }
        hear(book.reconcile(alerts, except: [], canBegin: true, at: now, wall: wall))
    }

    private mutating func hear(_ messages: [GroupMessage]) {
        for message in messages {
            let group = message.group
            saved.groups[group.id] = book.groups[group.id]
            if sequences[group.id, default: 0] >= group.sequence { complaints.append("\(message.id) comes twice") }
            sequences[group.id] = group.sequence
            for (outage, alert) in group.members {
                let known = told[outage]
                if known?.isFiring == false, alert.isFiring { complaints.append("\(outage) fires after it was over") }
                if known == nil, !alert.isFiring, message.kind == .firing { complaints.append("\(outage) begins as over") }
                let isNews = known?.isFiring != alert.isFiring
                if isNews, !group.untold.contains(outage) { complaints.append("\(outage) is news and not said to be") }
                told[outage] = Told(isFiring: alert.isFiring, firings: (known?.firings ?? 0) + (alert.isFiring && isNews ? 1 : 0))
            }
            if message.kind == .resolved, group.members.values.contains(where: \.isFiring) {
                complaints.append("\(message.id) is over and something fires")
            }
        }
    }

    /// All recover, time passes, and everything must have been said.
    mutating func finish() -> [String] {
        for target in 0..<7 where alerts.values.contains(where: { $0.isFiring && $0.labels["target"] == "t\(target)" }) {
            toggle(target)
        }
        for _ in 0..<4 {
            pass(10)
            hear(book.tick(at: now))
        }
        if !book.groups.isEmpty || !book.windows.isEmpty { complaints.append("something is left: \(book.windows)") }
        for (name, outage) in outages {
            let known = told[name]
            if known?.isFiring == true { complaints.append("\(name) was never told to be over") }
            if let known, known.firings != 1 { complaints.append("\(name) was told \(known.firings) times") }
            guard let ended = outage.ended else { continue }
            let lost = (ended.losses.windows - outage.losses.windows, ended.losses.seconds - outage.losses.seconds)
            // A step takes six seconds at most.
            let longest = Self.window * (1 + lost.0) + .seconds(lost.1 + 6)
            if known == nil, outage.began.duration(to: ended.at) > longest { complaints.append("\(name) was never mentioned") }
        }
        return complaints
    }
}
