import Health
import History
import Pages
import Terminal

/// One target's history as a person sees it: what it comes to, and a plot.
struct HistoryView {
    let steps: HistorySteps
    /// It may begin earlier than what there is.
    let asked: Range<Timestamp>

    func text(_ style: TerminalStyle) -> String {
        let (target, span, items) = (steps.target, steps.span, steps.items)
        let region = target.region.isEmpty ? "" : " (\(displayText(target.region)))"
        let begin = span.lowerBound > asked.lowerBound ? ", from \(span.lowerBound) on" : ""
        let title =
            "\(displayText(target.name))\(region)\(begin), \(Span(seconds: steps.resolution.components.seconds)) a column\n"
        guard !items.isEmpty else { return title + "No results in this time.\n" }
        return title + summary + "\n" + latencyPlot(columns, from: span.lowerBound, to: span.upperBound, style: style)
    }

    private var summary: String {
        let items = steps.items
        let probes = items.reduce(0) { $0 + $1.probes }
        let failures = items.reduce(0) { $0 + $1.failures }
        let voids = items.reduce(0) { $0 + $1.voids }
        var reasons: [String: Int] = [:]
        for item in items { reasons.merge(item.reasons, uniquingKeysWith: +) }
        let why = reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }.joined(
            separator: ", ")
        var text = "\(counted(probes, "probe")), \(failures) failed\(why.isEmpty ? "" : " (\(why))")"
        if voids > 0 { text += ", \(voids) void" }
        return text + "\n"
    }

    /// A column for each step of time, also where nothing is known.
    private var columns: [PlotStep] {
        let (span, step) = (steps.span, steps.resolution.wholeMilliseconds)
        let known = Dictionary(steps.items.map { ($0.start.milliseconds / step, $0) }, uniquingKeysWith: { first, _ in first })
        let (first, last) = (span.lowerBound.milliseconds / step, (span.upperBound.milliseconds - 1) / step)
        return (first...last).map { number in
            guard let item = known[number] else { return PlotStep() }
            return PlotStep(
                p50: item.percentile(0.5), p95: item.percentile(0.95), p99: item.percentile(0.99), status: item.worst)
        }
    }
}

extension RollupItem {
    /// The worst that it was; by its failures where times in a state aren't kept.
    fileprivate var worst: Status? {
        if let time {
            if time.down > .zero { return .down }
            if time.degraded > .zero { return .degraded }
            if time.up > .zero { return .up }
        }
        guard probes > 0 else { return voids > 0 ? .unknown : nil }
        return failures == 0 ? .up : failures == probes ? .down : .degraded
    }
}

/// A step of `history --json` and `--csv`.
struct HistoryItem: Encodable {
    var targetID: String
    var clientID: String
    var target: String
    var region: String
    var start: String
    var seconds: Int64
    var probes: Int
    var failures: Int
    var voids: Int
    var reasons: [String: Int]
    @OrNull var upMs: Int64?
    @OrNull var degradedMs: Int64?
    @OrNull var downMs: Int64?
    @OrNull var maintenanceMs: Int64?
    @OrNull var availability: Double?
    @OrNull var minUs: Int64?
    @OrNull var meanUs: Int64?
    @OrNull var maxUs: Int64?
    @OrNull var p50Us: Int64?
    @OrNull var p95Us: Int64?
    @OrNull var p99Us: Int64?
    @OrNull var dnsP95Us: Int64?
    @OrNull var connectP95Us: Int64?
    @OrNull var tlsP95Us: Int64?
    @OrNull var processingP95Us: Int64?
    @OrNull var transferP95Us: Int64?

    init(_ item: RollupItem, _ target: Target) {
        targetID = target.identity.key
        clientID = target.identity.clientID
        self.target = target.name
        region = target.region
        start = item.start.description
        seconds = item.length.components.seconds
        (probes, failures, voids, reasons) = (item.probes, item.failures, item.voids, item.reasons)
        upMs = item.time?.up.wholeMilliseconds
        degradedMs = item.time?.degraded.wholeMilliseconds
        downMs = item.time?.down.wholeMilliseconds
        maintenanceMs = item.time?.maintenance.wholeMilliseconds
        availability = item.time?.availability
        minUs = item.least?.wholeMicroseconds
        meanUs = item.mean?.wholeMicroseconds
        maxUs = item.most?.wholeMicroseconds
        p50Us = item.percentile(0.5)?.wholeMicroseconds
        p95Us = item.percentile(0.95)?.wholeMicroseconds
        p99Us = item.percentile(0.99)?.wholeMicroseconds
        let phase = { (phase: Phase) in item.percentile(0.95, of: phase)?.wholeMicroseconds }
        (dnsP95Us, connectP95Us, tlsP95Us) = (phase(.dns), phase(.connect), phase(.tls))
        (processingP95Us, transferP95Us) = (phase(.processing), phase(.transfer))
    }

    static func csv(_ items: [HistoryItem]) -> String {
        let heading = [
            "start", "seconds", "probes", "failures", "voids", "up_ms", "degraded_ms", "down_ms", "maintenance_ms", "min_us",
            "mean_us", "max_us", "p50_us", "p95_us", "p99_us",
        ]
        let rows = items.map { item in
            let counts = [item.probes, item.failures, item.voids].map { "\($0)" }
            let rest = [
                item.upMs, item.degradedMs, item.downMs, item.maintenanceMs, item.minUs, item.meanUs, item.maxUs, item.p50Us,
                item.p95Us, item.p99Us,
            ].map { $0.map { "\($0)" } ?? "" }
            return ([item.start, "\(item.seconds)"] + counts + rest).joined(separator: ",")
        }
        return ([heading.joined(separator: ",")] + rows).joined(separator: "\r\n") + "\r\n"
    }
}
