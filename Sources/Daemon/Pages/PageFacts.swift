import Alerting
import Curl
import Exposition
import Health
package import History
package import Pages
import Probing
import Scheduling
import Settings

/// Brings together what a page is made of, from those who know it.
struct PageFacts: Sendable {
    private static let resultsShown = 50
    private static let incidentsShown = 10
    private static let companyMax = 1000

    let readers: HistoryReaders
    let registry: TargetRegistry
    let maintenance: MaintenanceBook
    let alerter: Alerter
    let scheduler: Scheduler<EngineClock>
    let history: History
    let metrics: DaemonMetrics
    let readiness: ReadinessCheck
    let reload: ReloadOutcome
    let probesMax: Int
    let configurationPath: String?
    let startedAt: Timestamp
    let settings: @Sendable () -> Settings

    // MARK: One target

    /// nil when the target is not watched.
    func target(
        _ identity: TargetIdentity, _ window: LatencyFacts.Window, _ snapshot: PageIndex.Snapshot, at now: Timestamp
    ) throws(HistoryError) -> TargetFacts? {
        guard let view = registry.view(of: identity), snapshot.index.identity(slot: view.slot)?.identity == identity,
            let known = snapshot.index.identity(slot: view.slot)
        else { return nil }
        let url = view.url?.text ?? view.target.baseURL + view.target.testPath
        var facts = TargetFacts(
            identity: known, live: snapshot.index[view.slot], sentence: snapshot.index.said(slot: view.slot)?.sentence,
            url: urlWithoutSecrets(url), interval: view.policy.interval, bound: view.policy.detectionBound)
        facts.failures = view.judge.streaks.bad
        facts.isInMaintenance = maintenance.covers(identity)
        facts.isHeld = alerter.holds(identity)
        facts.endpoint = view.url.map { "\($0.host):\($0.port)" }
        facts.isPlainRequest = view.policy.method == "GET" && view.policy.headers.isEmpty && view.policy.body == nil
        facts.lastGood = view.lastGood?.evidence
        facts.days = snapshot.days.states(slot: view.slot, now: facts.live.status)
        (facts.sums, facts.window) = (snapshot.days.sums(slot: view.slot), snapshot.days.window)
        facts.through = Timestamp(milliseconds: snapshot.days.throughHour * 3_600_000)
        facts.today = snapshot.days.today
        let settings = settings()
        (facts.configurationPath, facts.database) = (configurationPath, settings.history.path)
        facts.timeout = view.policy.effectiveTimeout
        facts.settings = settings.keysInForce(override: settings.overrideIndex(for: view.target), of: view.target).map {
            TargetFacts.Setting(key: $0.key.path, value: $0.key.value, origin: $0.origin)
        }
        try addHistory(to: &facts, window, at: now)
        return facts
    }

    private func addHistory(
        to facts: inout TargetFacts, _ window: LatencyFacts.Window, at now: Timestamp
    ) throws(HistoryError) {
        let (identity, host) = (facts.identity.identity, facts.identity.host)
        let (whole, step) = (window.length.whole, window.step(probedEvery: facts.interval))
        let end = Self.end(ofStep: step, at: now)
        let span = end + (.zero - whole)..<end
        var filter = IncidentFilter()
        (filter.target, filter.limit) = (identity, Self.incidentsShown)
        let (results, latency, incidents) = try readers.read { [filter] reader throws(HistoryError) in
            (
                try reader.newestResults(of: identity, limit: Self.resultsShown),
                try reader.latency(of: identity, in: span, resolution: step), try reader.incidents(filter)
            )
        }
        facts.probes = results.map(TargetFacts.Probe.init)
        // A daemon that has just started has seen none yet.
        if facts.lastGood == nil, let good = results.first(where: { !$0.isVoid && $0.outcome == .good }) {
            facts.lastGood = Evidence(
                at: good.startedAt, httpStatus: good.httpStatus, address: good.address, phases: good.phases)
        }
        facts.latency = LatencyFacts(window, step, span, latency)
        facts.incidents = incidents.map { IncidentEntry($0, host: host) }
        guard let open = incidents.first(where: { $0.incident.endedAt == nil }), let found = try incident(open.id) else { return }
        (facts.openIncident, facts.companions) = found
        // Of an outage that is longer than the results that were read.
        if facts.lastGood == nil { facts.lastGood = found.0.evidence[.lastGood] }
    }

    /// The end of the step that a moment is in.
    private static func end(ofStep step: Duration, at now: Timestamp) -> Timestamp {
        let length = step.wholeMilliseconds
        return Timestamp(milliseconds: (now.milliseconds.flooredQuotient(by: length) + 1) * length)
    }

    // MARK: Incidents

    /// One more than the page shows, when there is one; and how many are open in all.
    func incidents(_ query: IncidentQuery) throws(HistoryError) -> ([IncidentEntry], open: Int) {
        var filter = IncidentFilter()
        filter.state = query.state.map { $0 == .open ? .open : .over }
        (filter.region, filter.reason, filter.target) = (query.region, query.reason, query.target)
        (filter.text, filter.during, filter.before, filter.limit) = (query.text, query.during, query.before, query.limit + 1)
        let (rows, open) = try readers.read { [filter] reader throws(HistoryError) in
            (try reader.incidents(filter), try reader.openIncidents())
        }
        return (rows.map { IncidentEntry($0, host: registry.view(of: $0.incident.target)?.url?.host) }, open)
    }

    /// nil when there is none.
    func incident(_ id: Int64) throws(HistoryError) -> (IncidentFacts, company: [CompanionFacts])? {
        try readers.read { reader throws(HistoryError) in
            guard let detail = try reader.incident(id) else { return nil }
            let facts = IncidentFacts(detail, host: registry.view(of: detail.row.incident.target)?.url?.host)
            var company = try reader.incidents(begunIn: facts.company, limit: Self.companyMax).map { CompanionFacts($0) }
            if !company.contains(where: { $0.entry.id == id }) {
                company.append(CompanionFacts(facts.entry, address: nil, fingerprint: nil))
            }
            return (facts, company)
        }
    }

    // MARK: The daemon

    func daemon() async -> DaemonFacts {
        let settings = settings()
        var facts = DaemonFacts()
        facts.problems = await readiness.problems()
        facts.doubt = registry.standing.doubt?.cause.sentence
        facts.canaries = settings.vantage.canaries.count
        facts.receivers = settings.alerting.alertmanagers.count + settings.alerting.webhooks.count
        addSchedule(to: &facts)
        facts.lists = metrics.syncs.sorted { $0.clientID < $1.clientID }.map { sync in
            DaemonFacts.List(
                clientID: sync.clientID, fetchedAt: sync.lastSuccess.milliseconds > 0 ? sync.lastSuccess : nil,
                isHeld: sync.isHeld, hasFailed: sync.hasFailed)
        }
        facts.syncInterval = settings.targetsAPI.syncInterval
        let written = history.statistics
        (facts.database, facts.databaseBytes, facts.walBytes) = (settings.history.path, written.sizeBytes, written.walBytes)
        (facts.written, facts.dropped, facts.queued) = (written.samples, written.dropped, written.queued)
        facts.historyTrouble = written.trouble.map { "\($0)" }
        let alerts = alerter.counts
        (facts.alertsQueued, facts.alertsSent, facts.alertsFailed) = (alerts.queued, alerts.sent, alerts.failed)
        facts.setAside = alerts.setAside
        facts.exceptions.merge(alerts.exceptions) { $0 + $1 }
        facts.configurationPath = configurationPath
        facts.reloadTrouble = metrics.isConfigurationGood ? nil : reload.trouble
        facts.startedAt = startedAt
        return facts
    }

    private func addSchedule(to facts: inout DaemonFacts) {
        let (reading, counts) = (metrics.reading, scheduler.counts)
        let spread = { (name: String, spread: DaemonMetrics.Reading.Spread) in
            DaemonFacts.Spread(name, p50: spread.p50, p99: spread.p99)
        }
        facts.spreads = [
            spread("Start after the due time", reading.lateness), spread("Answer waited for us", reading.selfDelay),
            spread("Commit to the history", reading.commits),
        ]
        facts.lanes = zip(scheduler.overload, scheduler.loads).map { overload, load in
            DaemonFacts.Lane(busy: 0, plannedPerSecond: overload.plannedPerSecond, stretch: overload.stretch)
        }
        for (lane, busy) in metrics.laneBusyRatios.enumerated() where lane < facts.lanes.count { facts.lanes[lane].busy = busy }
        (facts.missed, facts.tainted, facts.deferred) = (counts.missed, reading.tainted, counts.rechecksDeferred)
        facts.exceptions = [
            "recheck_deferred": counts.rechecksDeferred, "overload": counts.overloadExceptions,
            "void": reading.voidsWhileUndecided,
        ]
        (facts.inFlight, facts.inFlightMax) = (reading.inFlight, probesMax)
        facts.reloadedAt = reading.lastReload
    }
}

// MARK: Where the history's value becomes the pages'

extension IncidentEntry {
    package init(_ row: IncidentRow, host: String? = nil) {
        self.init(
            id: row.id, name: row.name, region: row.region, vantage: row.vantage, host: host, incident: row.incident)
    }
}

extension IncidentFacts {
    package init(_ detail: IncidentDetail, host: String? = nil) {
        self.init(
            IncidentEntry(detail.row, host: host), uuid: detail.uuid, interval: detail.interval, bound: detail.bound,
            alertedAt: detail.alertedAt, changedAt: detail.changedAt, evidence: detail.evidence)
        remarks = detail.notes.map { IncidentRemark(at: $0.at, text: $0.text, isPublic: $0.isPublic) }
    }
}

extension CompanionFacts {
    fileprivate init(_ related: RelatedIncident) {
        self.init(
            IncidentEntry(related.row, host: URLParts(related.url)?.host), address: related.address.flatMap { IPAddress($0) },
            fingerprint: related.fingerprint)
    }
}

extension TargetFacts.Probe {
    fileprivate init(_ result: ResultItem) {
        self.init(
            startedAt: result.startedAt, outcome: result.outcome, isVoid: result.isVoid, httpStatus: result.httpStatus,
            address: result.address, duration: result.duration, phases: result.phases, lateness: result.lateness)
    }
}

extension LatencyFacts {
    /// A step for each part of the window, also where nothing is known.
    fileprivate init(
        _ window: Window, _ step: Duration, _ span: Range<Timestamp>, _ found: (steps: [RollupItem], whole: RollupItem)?
    ) {
        let known = Dictionary(found?.steps.map { ($0.start, $0) } ?? []) { first, _ in first }
        var steps: [LatencyStep] = []
        var start = span.lowerBound
        while start < span.upperBound {
            let item = known[start]
            steps.append(
                LatencyStep(
                    start: start, p50: item?.percentile(0.5), p95: item?.percentile(0.95), p99: item?.percentile(0.99),
                    probes: item?.probes ?? 0, failures: item?.failures ?? 0))
            start = start + step
        }
        self.init(
            window: window, step: step, steps: steps, p50: found?.whole.percentile(0.5), p95: found?.whole.percentile(0.95),
            p99: found?.whole.percentile(0.99))
    }
}
