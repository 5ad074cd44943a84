import Curl
import Daemon
import Glibc
import Health
import Probing
import Synchronization
import Terminal

/// The probes of one command, one after the other.
struct ProbeRun {
    let engine: TransferEngine
    let places: [RequestOptions.Place]
    /// Prints what goes over the wire to standard error.
    var isTraced = false

    /// - Parameters:
    ///   - address: the one to connect to, instead of one of the name's.
    ///   - resolved: gets the addresses of the first request's name.
    func probe(
        _ order: ProbeOrder, at address: SocketAddress? = nil, resolved: @escaping @Sendable ([SocketAddress]) -> Void = { _ in }
    ) async -> ProbeReport {
        let (engine, places) = (engine, places)
        let isFirst = Mutex(true)
        let isTraced = isTraced
        let prober = Prober(
            transfer: { request in
                var request = request
                let wasFirst = isFirst.withLock { isFirst in
                    defer { isFirst = false }
                    return isFirst
                }
                request.onlyAddress =
                    (wasFirst ? address : nil)
                    ?? places.first { $0.host == request.url.host && $0.port == request.url.port }?.address
                    ?? request.onlyAddress
                let trace = isTraced ? ShownTrace(order.policy, request) : nil
                if let trace {
                    request.trace = { what, bytes in for line in trace.lines(what, bytes) { printError(line) } }
                }
                let report = await engine.transfer(request)
                for line in trace?.rest() ?? [] { printError(line) }
                if wasFirst { resolved(report.resolved) }
                return report
            }, wallClock: { .now() })
        return await prober.probe(order)
    }

    /// Each address that the name has. Empty where it has none: then the first report says why.
    func probeAll(_ order: ProbeOrder) async -> (first: ProbeReport, all: [(address: SocketAddress, report: ProbeReport)]) {
        let found = Mutex<[SocketAddress]>([])
        let first = await probe(order) { addresses in found.withLock { $0 = addresses } }
        var all: [(address: SocketAddress, report: ProbeReport)] = []
        for address in found.withLock(\.self) {
            // The first probe was of one of them.
            let isFirst = first.result.facts.address == address.text
            all.append((address, isFirst ? first : await probe(order, at: address)))
        }
        return (first, all)
    }
}

/// What came of several probes, as ping sums it up.
struct ProbeSummary {
    private let reports: [ProbeReport]

    init(_ reports: [ProbeReport]) { self.reports = reports }

    var text: String {
        let counting = reports.filter { $0.result.void == nil }
        let times = counting.filter(\.result.outcome.isSuccess).map(\.result.duration)
        let (failed, spoiled) = (counting.count - times.count, reports.count - counting.count)
        var parts = ["\(counted(reports.count, "probe")): \(times.count) as expected"]
        if failed > 0 { parts.append("\(failed) failed") }
        if spoiled > 0 { parts.append("\(spoiled) spoiled by this machine") }
        let sorted = times.sorted()
        guard let least = sorted.first, let most = sorted.last else { return parts.joined(separator: ", ") + "\n" }
        func share(_ share: Double) -> Duration {
            sorted[min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.up)) - 1)]
        }
        let spread = [("min", least), ("p50", share(0.5)), ("p99", share(0.99)), ("max", most)]
        return parts.joined(separator: ", ") + "\n" + spread.map { "\($0.0) \(durationWords($0.1))" }.joined(separator: ", ")
            + "\n"
    }
}
