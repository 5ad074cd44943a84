package import Health

/// What the page of one target is made of.
package struct TargetFacts: Sendable {
    package struct Probe: Hashable, Sendable {
        package var startedAt: Timestamp
        package var outcome: Outcome
        package var isVoid: Bool
        package var httpStatus: Int?
        package var address: String?
        package var duration: Duration
        package var phases: Phases
        package var lateness: Duration

        package init(
            startedAt: Timestamp, outcome: Outcome, isVoid: Bool, httpStatus: Int?, address: String?, duration: Duration,
            phases: Phases, lateness: Duration
        ) {
            (self.startedAt, self.outcome, self.isVoid) = (startedAt, outcome, isVoid)
            (self.httpStatus, self.address, self.duration) = (httpStatus, address, duration)
            (self.phases, self.lateness) = (phases, lateness)
        }
    }

    /// A key that isn't a default, and where its value comes from.
    package struct Setting: Hashable, Sendable {
        package var key: String
        /// As the file has it; the names of secrets, and never what they hold.
        package var value: String
        /// As in `probe, line 38`.
        package var origin: String

        package init(key: String, value: String, origin: String) { (self.key, self.value, self.origin) = (key, value, origin) }
    }

    package var identity: TargetIndex.Identity
    package var live: TargetIndex.Live
    /// Of the last result, or of what opened the incident; nil of a target that is well.
    package var sentence: String?
    /// What is probed, with every value of its query replaced.
    package var url: String
    package var interval: Duration
    package var bound: Duration
    package var failures = 0
    package var isInMaintenance = false
    /// An alert of it is held, because the daemon doubts itself.
    package var isHeld = false
    package var lastGood: Evidence?
    /// The newest first; void ones included.
    package var probes: [Probe] = []
    package var incidents: [IncidentEntry] = []
    package var openIncident: IncidentFacts?
    package var companions: [CompanionFacts] = []
    package var days: [DayState] = []
    package var sums = StateSums()
    /// How long the time is that ``sums`` is of, in milliseconds.
    package var window: Int64 = 0
    /// The end of the last hour that is in ``sums``.
    package var through: Timestamp?
    /// The number of the last of ``days`` since 1970.
    package var today: Int64 = 0
    package var latency = LatencyFacts(window: .day, steps: [])
    package var settings: [Setting] = []
    /// Host and port of the URL; nil when the record allows none.
    package var endpoint: String?
    /// A GET without headers and body of the configuration.
    package var isPlainRequest = true
    /// Of a probe.
    package var timeout: Duration = .seconds(10)
    /// How a command names the configuration; nil when there is no file.
    package var configurationPath: String?
    /// The file of the history, for commands where there is no configuration.
    package var database = ""

    package init(
        identity: TargetIndex.Identity, live: TargetIndex.Live, sentence: String?, url: String, interval: Duration,
        bound: Duration
    ) {
        (self.identity, self.live, self.sentence, self.url) = (identity, live, sentence, url)
        (self.interval, self.bound) = (interval, bound)
    }

    /// The last result that counted.
    var lastProbe: Probe? { probes.first { !$0.isVoid } }
}

/// The latency of a target over a window of time.
package struct LatencyFacts: Sendable {
    package enum Window: String, Hashable, Sendable, CaseIterable {
        case day = "24h", week = "7d", month = "30d", quarter = "90d", year = "1y"

        /// How long, and in which steps.
        package var length: (whole: Duration, step: Duration) {
            let (minute, hour, day): (Double, Double, Double) = (60, 3600, 86_400)
            let (whole, step) =
                switch self {
                case .day: (day, 5 * minute)
                case .week: (7 * day, hour)
                case .month: (30 * day, 4 * hour)
                case .quarter: (90 * day, 12 * hour)
                case .year: (366 * day, 2 * day)
                }
            return (.seconds(whole), .seconds(step))
        }

        /// The step in which a target has a probe or two, however seldom it is probed.
        package func step(probedEvery interval: Duration) -> Duration {
            var step = length.step
            while step < interval * 2, step * 4 < length.whole { step = step * 2 }
            return step
        }

        var words: String {
            switch self {
            case .day: "24 hours"
            case .week: "7 days"
            case .month: "30 days"
            case .quarter: "90 days"
            case .year: "year"
            }
        }
    }

    package var window: Window
    package var step: Duration
    /// One for each step of the window in the order of time, also where nothing is known.
    package var steps: [LatencyStep]
    /// Over the whole window.
    package var p50: Duration?
    package var p95: Duration?
    package var p99: Duration?

    package init(
        window: Window, step: Duration? = nil, steps: [LatencyStep], p50: Duration? = nil, p95: Duration? = nil,
        p99: Duration? = nil
    ) {
        (self.window, self.steps, self.p50, self.p95, self.p99) = (window, steps, p50, p95, p99)
        self.step = step ?? window.length.step
    }
}
