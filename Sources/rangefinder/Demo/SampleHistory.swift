import Health
import History
import Synchronization

/// Ninety days that never were, so that the first look at the demo is no empty plot. They are written by the daemon's own writer, on a clock
/// of its own, and end when the demo begins.
struct SampleHistory {
    private static let length = Duration.seconds(90 * 86_400)
    private static let day = Duration.seconds(86_400)
    /// A probe so often while so much is left: more would take longer to write than somebody waits. The plots look at the last days more closely.
    private static func interval(left: Duration) -> Duration {
        left > day * 7 ? .seconds(7200) : left > day ? .seconds(1800) : .seconds(300)
    }
    /// On these two days nobody looked.
    private static let gap = Duration.seconds(50 * 86_400) ... .seconds(52 * 86_400)

    /// What became of one target in that time.
    private struct Life {
        let target: TargetIdentity
        /// Of a good answer.
        let usual: Duration
        /// From so long before the end on it fails, or answers poorly.
        var ends: (left: Duration, outcome: Outcome)?
        /// It falls about once in so many days.
        var daysBetweenFalls: Int64?
        let wantsCredentials: Bool
        var judge = Judge()

        init(_ target: TargetIdentity, named name: String) {
            self.target = target
            let hour = 3600
            switch name {
            case let name where name.contains("slow"):
                (usual, ends) = (.milliseconds(310), (.seconds(9 * 24 * hour), .poor(.slow)))
            case let name where name.contains("flaky"): (usual, daysBetweenFalls) = (.milliseconds(45), 8)
            case let name where name.contains("failing"):
                (usual, ends) = (.milliseconds(120), (.seconds(2 * hour + 1500), .bad(.statusUnexpected)))
            case let name where name.contains("hangs"):
                (usual, ends) = (.milliseconds(95), (.seconds(hour + 900), .bad(.timeout)))
            case let name where name.contains("expired"):
                (usual, ends) = (.milliseconds(60), (.seconds(3 * hour), .bad(.certificateExpired)))
            case let name where name.contains("self-signed"):
                (usual, ends) = (.milliseconds(70), (.seconds(11 * 24 * hour), .bad(.certificateUntrusted)))
            case let name where name.contains("credentials"):
                (usual, ends) = (.milliseconds(12), (.seconds(91 * 24 * hour), .bad(.statusUnexpected)))
            default: (usual, daysBetweenFalls) = (.milliseconds(38), 40)
            }
            wantsCredentials = name.contains("credentials")
        }
    }

    private let clock: SampleClock
    private let history: History
    private let end: Timestamp
    private var policy: ProbePolicy
    private var lives: [Life]
    private var chance = Chance(state: 20)

    /// - Parameters:
    ///   - path: of a database that isn't there yet.
    ///   - end: when the demo begins.
    init(path: String, vantage: String, targets: [Target], until end: Timestamp) throws {
        let clock = SampleClock(end)
        (self.clock, self.end) = (clock, end)
        history = try History.open(path: path, options: HistoryOptions(vantage: vantage, now: { clock.now }))
        var policy = ProbePolicy(userAgent: "")
        (policy.fall, policy.rise) = (1, 1)
        self.policy = policy
        lives = targets.map { Life($0.identity, named: $0.name) }
        for (client, list) in Dictionary(grouping: targets, by: \.identity.clientID) {
            history.persist(list: list, client: client)
        }
    }

    mutating func write() async {
        var left = Self.length
        while left > .zero {
            // A day at a time, and in the end an hour.
            let batchEnd = max(.zero, left - (left > Self.day ? Self.day : .seconds(3600)))
            while left > batchEnd {
                policy.interval = Self.interval(left: left)
                clock.now = end + (.zero - left)
                if !Self.gap.contains(left) { for index in lives.indices { append(index, left: left) } }
                left -= policy.interval
            }
            await history.flush()
            while await history.compact() {}
        }
        await history.close()
    }

    private mutating func append(_ index: Int, left: Duration) {
        var outcome = Outcome.good
        if let ends = lives[index].ends, left <= ends.left {
            outcome = ends.outcome
        } else if lives[index].judge.status == .down {
            // What has fallen stays down for some probes, where a probe is not for hours.
            if policy.interval < .seconds(3600), chance.next(3) > 0 { outcome = .bad(.connectRefused) }
        } else if let days = lives[index].daysBetweenFalls, chance.next(days * Int64(Self.day / policy.interval)) == 0 {
            outcome = .bad(.connectRefused)
        }
        let result = result(of: lives[index], outcome)
        let before = lives[index].judge
        let judgement = lives[index].judge.judge(result, policy: policy)
        let judge = lives[index].judge
        var notes: [IncidentNote] = []
        if case .opened(let incident) = judgement.incident {
            notes.append(
                IncidentNote(
                    target: incident.target, startedAt: incident.startedAt,
                    .confirmed(interval: policy.interval, bound: policy.detectionBound)))
        }
        history.append(
            HistoryRecord(
                result: result, judgement: judgement, judge: judge.isLike(before) ? nil : judge, interval: policy.interval,
                incidentNotes: notes))
    }

    /// By day everything is slower than by night.
    private mutating func result(of life: Life, _ outcome: Outcome) -> ProbeResult {
        let hour = Double(clock.now.milliseconds.quotientAndRemainderFloored(by: 86_400_000).remainder) / 3_600_000
        let busy = max(0, 1 - abs(hour - 15) / 8)
        let share = Double(chance.next(1000)) / 1000
        var processing = life.usual * (0.7 + busy * 0.5 + share * share * share * 1.5)
        if outcome == .poor(.slow) { processing = life.usual * (2 + share) }
        var facts = ResponseFacts()
        facts.address = "127.0.0.1"
        if outcome.isSuccess { facts.httpStatus = 200 }
        if outcome == .bad(.statusUnexpected) { facts.httpStatus = life.wantsCredentials ? 401 : 500 }
        let phases = Phases(
            dns: .microseconds(20 + chance.next(60)), connect: .microseconds(60 + chance.next(200)), processing: processing,
            transfer: .microseconds(40 + chance.next(100)))
        let duration = Phase.allCases.reduce(Duration.zero) { $0 + (phases[$1] ?? .zero) }
        return ProbeResult(
            target: life.target, startedAt: clock.now, duration: duration, outcome: outcome, sentence: "", phases: phases,
            facts: facts)
    }
}

/// The wall clock of made-up time.
private final class SampleClock: Sendable {
    private let moment: Mutex<Timestamp>

    init(_ start: Timestamp) { moment = Mutex(start) }

    var now: Timestamp {
        get { moment.withLock { $0 } }
        set { moment.withLock { $0 = newValue } }
    }
}

/// PCG's multiplier (O'Neill, 2014): the same in each demo.
private struct Chance {
    var state: UInt64

    /// Below a bound.
    mutating func next(_ bound: Int64) -> Int64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int64(state >> 33) % bound
    }
}
