import Health

@testable import Exposition

/// Three targets, one in each state that a page tells apart: answering over TLS, failing, and never probed.
enum Samples {
    static let moment = Timestamp(milliseconds: 1_705_924_800_123)

    static func target(
        _ key: String, client: String = "c1", name: String = "API", url: String = "https://api.example/health",
        region: String = "us-east-1"
    ) -> SeriesTarget {
        SeriesTarget(
            labels: SeriesLabels(
                identity: TargetIdentity(clientID: client, key: key), name: name, url: url, region: region),
            policy: ProbePolicy())
    }

    static func good(_ key: String, client: String = "c1") -> ProbeResult {
        var facts = ResponseFacts()
        facts.httpStatus = 200
        facts.httpVersion = 1.1
        facts.usedTLS = true
        facts.tlsVersion = .tls13
        facts.tlsCipher = "TLS_AES_128_GCM_SHA256"
        facts.certificateExpiry = Timestamp(milliseconds: 1_735_689_600_000)
        facts.presentedExpiry = Timestamp(milliseconds: 1_704_067_200_000)
        facts.leaf = LeafCertificate(fingerprint: Array(0..<32)) {
            .init(subject: "CN=API \"one\",O=Example", issuer: "CN=Authority", hosts: ["api.example", "*.api.example"])
        }
        facts.lastModified = Timestamp(milliseconds: 1_700_000_000_000)
        facts.address = "2001:db8::1"
        facts.uncompressedBodyLength = 512
        return ProbeResult(
            target: TargetIdentity(clientID: client, key: key), startedAt: moment, duration: .microseconds(25_250),
            lateness: .microseconds(120), selfDelay: .microseconds(180), outcome: .good,
            phases: Phases(
                dns: .microseconds(1_000), connect: .microseconds(2_000), tls: .microseconds(12_250),
                processing: .microseconds(9_500), transfer: .microseconds(500)),
            facts: facts)
    }

    static func bad(_ key: String, _ reason: Reason = .connectRefused, client: String = "c1") -> ProbeResult {
        var facts = ResponseFacts()
        facts.address = "192.0.2.1"
        return ProbeResult(
            target: TargetIdentity(clientID: client, key: key), startedAt: moment, duration: .milliseconds(3),
            lateness: .milliseconds(2), outcome: .bad(reason), phases: Phases(dns: .milliseconds(1)), facts: facts)
    }

    static func void(_ key: String) -> ProbeResult {
        var result = bad(key)
        result.void = .tainted
        return result
    }

    static func series(_ targets: [SeriesTarget], perTarget: TargetSeries.Detail = .full) -> TargetSeries {
        let series = TargetSeries(perTarget: perTarget)
        series.replace(targets)
        return series
    }

    static func daemon() -> DaemonMetrics {
        let daemon = DaemonMetrics(build: ["version": "0.1.0"], loadedAt: moment)
        daemon.setClients(["c1"])
        return daemon
    }

    static func three() -> (TargetSeries, DaemonMetrics) {
        let series = series([
            target("t1"), target("t2", name: "Café \"two\"", url: "https://two.example/v1?token=s3cret&b=2", region: "eu"),
            target("t3", name: "New"),
        ])
        let daemon = daemon()
        daemon.observeSchedule { .init(missed: 0, skippedInFlight: 1, rechecksDeferred: 0, overloadExceptions: 0) }
        daemon.setLanes(busyRatios: [0.25, 0.5], isOverloaded: false)
        for result in [good("t1"), bad("t2"), bad("t2"), bad("t2")] {
            daemon.probeStarted()
            daemon.probeEnded(result, result.outcome)
        }
        series.see([good("t1")])
        series.see([bad("t2"), bad("t2"), bad("t2")])
        daemon.setTargets([.active: 3, .rejected: 1])
        daemon.syncSucceeded(clientID: "c1", at: moment)
        daemon.syncFailed(clientID: "c1", reason: "timeout")
        daemon.observeHistory {
            DaemonMetrics.HistoryReading(samples: 4, droppedSamples: 0, sizeBytes: 4096, walBytes: 8192)
        }
        daemon.historyCommitted(.milliseconds(4))
        daemon.observeAlerting {
            .init(
                sent: 7, failed: 2, queued: 3, exceptions: ["vantage_doubt": 5, "maintenance": 4],
                setAside: ["webhook 1": 6, "webhook http://hook/": 0])
        }
        series.flag(
            held: [TargetIdentity(clientID: "c1", key: "t2")], inMaintenance: [TargetIdentity(clientID: "c1", key: "t1")])
        return (series, daemon)
    }
}

extension TargetSeries {
    /// Judges results of one target, from the beginning, and records them.
    @discardableResult
    func see(_ results: [ProbeResult], policy: ProbePolicy = ProbePolicy()) -> Judge {
        var judge = Judge()
        for result in results {
            let judgement = judge.judge(result, policy: policy)
            record(result, judgement, judge: judge)
        }
        return judge
    }

    func page(_ format: MetricsFormat = .text, _ selection: MetricsSelection = MetricsSelection()) -> String {
        wholeText(MetricsPage(format: format, selection: selection, targets: self, daemon: Samples.daemon()))
    }

    /// The lines of the targets' families, without headers.
    func lines(_ selection: MetricsSelection = MetricsSelection()) -> [String] {
        page(.text, selection).split(separator: "\n").map(String.init).filter { $0.contains("{target_id=") }
    }
}

func wholeText(_ page: MetricsPage) -> String {
    String(decoding: page.flatMap { $0 }, as: UTF8.self)
}
