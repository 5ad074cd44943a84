import Health
import Synchronization

@testable import Alerting

/// Targets before the book of alerts, judged by their judges, by a clock that stands still until it is moved.
struct Office {
    var book: AlertBook
    var trust = AlertBook.Trust()
    var now = ContinuousClock.now
    var wall = Timestamp(milliseconds: 1_700_000_000_000)
    var inMaintenance: Set<String> = []
    /// Of targets that aren't on a host of their own.
    var hosts: [String: String] = [:]
    var judges: [String: Judge] = [:]
    let policy = ProbePolicy()

    init(degraded: Bool = false, holdMax: Duration = .seconds(300)) {
        var options = AlertingOptions(vantage: "here", link: "http://127.0.0.1:10115/")
        (options.alertsDegraded, options.holdMax) = (degraded, holdMax)
        book = AlertBook(options)
    }

    static func identity(_ key: String) -> TargetIdentity { TargetIdentity(clientID: "c", key: key) }

    /// Results of a target, five seconds apart: `g` good, `p` poor, `c` poor because of its certificate, `C` good with one that lasts, `b` bad, `t` by a timeout, `u` its
    /// URL is invalid; certificates with `1` to `9` days left, with `0` one that has expired.
    /// - Returns: what began and what ended, as in `+TargetDown a` and `-TargetDown a`.
    mutating func see(_ letters: String, _ key: String = "a") -> [String] {
        letters.flatMap { letter -> [String] in
            pass(5)
            return describe(book.apply(report(letter, key), trust, at: now))
        }
    }

    /// The same result until it is believed.
    mutating func seeForLong(_ letter: String, _ key: String = "a") -> [String] {
        see(String(repeating: letter, count: 130), key)
    }

    mutating func pass(_ seconds: Int) {
        now = now.advanced(by: .seconds(seconds))
        wall = wall + .seconds(seconds)
    }

    mutating func tick() -> [String] { describe(book.tick({ _ in trust }, at: now) { inMaintenance.contains($0.key) }) }

    mutating func report(_ letter: Character, _ key: String) -> TargetReport {
        let outcome: Outcome =
            switch letter {
            case "g", "C": .good
            case "p": .poor(.slow)
            case "c", "1"..."9": .poor(.certificateExpiring)
            case "0": .bad(.certificateExpired)
            case "u": .bad(.urlInvalid)
            case "t": .bad(.timeout)
            default: .bad(.connectRefused)
            }
        var result = ProbeResult(
            target: Self.identity(key), startedAt: wall, duration: .milliseconds(20), outcome: outcome, sentence: "seen \(letter)"
        )
        result.facts.certificateExpiry = certificateDays(letter).map { Sample.noon + .seconds($0 * 86_400) }
        result.facts.httpStatus = result.outcome.isSuccess ? 200 : nil
        result.facts.usedTLS = true
        _ = judges[key, default: Judge()].judge(result, policy: policy)
        return TargetReport(
            target: Self.identity(key), judge: judges[key] ?? Judge(), result: result,
            certificate: CertificateNotice(result, days: policy.certificateDays), startedAt: now,
            isInMaintenance: inMaintenance.contains(key), describe: { [host = hosts[key]] in Sample.description(key, host: host) }
        )
    }

    /// `C` is one with time enough.
    private func certificateDays(_ letter: Character) -> Int? {
        letter == "C" ? 60 : letter == "c" ? 10 : letter.wholeNumberValue
    }

    func describe(_ changes: [Alert]) -> [String] {
        changes.map { alert in
            let isUrgent = alert.kind == .certificateUrgent
            return
                "\(alert.isFiring ? "+" : "-")\(alert.name.rawValue)\(isUrgent ? " critical" : "") \(alert.labels["target"] ?? "")"
        }
    }
}

enum Sample {
    /// When certificates have whole days left; a little after the clock begins.
    static let noon = Timestamp(milliseconds: 1_700_000_500_000)

    static func description(_ key: String, host: String? = nil) -> TargetReport.Description {
        TargetReport.Description(
            name: key, instance: "https://\(key).example/health", host: host ?? "\(key).example", region: "eu",
            detectionBound: .seconds(55),
            lastGood: .milliseconds(12))
    }

    static func alert(
        _ key: String, host: String = "h.example", region: String = "eu", expiry: String? = nil, at second: Int64 = 0
    ) -> Alert {
        var annotations = ["summary": "\(key) is down"]
        if let expiry { (annotations["reason"], annotations["certificate_expiry"]) = ("certificate_expired", expiry) }
        return Alert(
            .targetDown, .target(Office.identity(key)),
            labels: ["alertname": "TargetDown", "target": key, "host": host, "region": region],
            annotations: annotations, startedAt: Timestamp(milliseconds: 1_700_000_000_000 + second * 1000))
    }

    static func ended(_ alert: Alert, at second: Int64 = 60) -> Alert {
        var ended = alert
        ended.end(.recovered, at: Timestamp(milliseconds: 1_700_000_000_000 + second * 1000))
        return ended
    }
}

/// Documents as a database would keep them: durable when it is said so.
final class Shelf: Sendable {
    struct State {
        var documents: [StoredDocument.ID: String] = [:]
        var ticket = 0
        var durable: Int? = 0
    }

    let state = Mutex(State())

    var memory: AlertMemory {
        AlertMemory(
            persist: { documents in
                self.state.withLock { state in
                    for document in documents { state.documents[document.id] = document.text?() }
                    state.ticket += 1
                    return state.ticket
                }
            }, durable: { self.state.withLock { $0.durable } })
    }

    func commit() { state.withLock { $0.durable = $0.ticket } }
    func fail() { state.withLock { $0.durable = nil } }
    func count(_ kind: String) -> Int { state.withLock { $0.documents.keys.count { $0.kind == kind } } }
}
