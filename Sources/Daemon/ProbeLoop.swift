import Alerting
import Exposition
import Health
import History
import Logging
import Probing
import Scheduling

/// What happens with each probe that falls due: order, probe, judge, and tell everyone who follows the judgement.
///
/// Nothing here waits for a disk, a page or an alert: History queues, Exposition writes numbers into a slab.
struct ProbeLoop: Sendable {
    let registry: TargetRegistry
    let history: History
    let alerter: Alerter
    let maintenance: MaintenanceBook
    let series: TargetSeries
    let metrics: DaemonMetrics
    let logger: Logger
    let prober: Prober
    private let faults = FaultLog()

    init(
        registry: TargetRegistry, history: History, alerter: Alerter, maintenance: MaintenanceBook, series: TargetSeries,
        metrics: DaemonMetrics, logger: Logger, prober: Prober
    ) {
        (self.registry, self.history, self.alerter, self.maintenance) = (registry, history, alerter, maintenance)
        (self.series, self.metrics, self.logger, self.prober) = (series, metrics, logger, prober)
    }

    func probe(_ identity: TargetIdentity, due: ContinuousClock.Instant, isRecheck: Bool) async -> ProbeEnd<
        ContinuousClock.Instant
    > {
        guard let ordered = registry.order(identity, due: due, isRecheck: isRecheck) else {
            return ProbeEnd(startedAt: nil, wantsRecheck: false)
        }
        metrics.probeStarted()
        return end(await prober.probe(ordered.order), place: ordered.place)
    }

    /// Not within the frame of a probe that waits for its answer: there are many at a time, and each would keep room for this.
    @inline(never)
    private func end(_ report: ProbeReport, place: UInt64) -> ProbeEnd<ContinuousClock.Instant> {
        // Cancelled because we stop: that is no result of anything.
        let isStopped = Task.isCancelled && report.result.void == .cancelled
        var isHeld = false
        guard !isStopped, let judged = registry.judge(report, place: place, persist: { isHeld = persist($0) }) else {
            metrics.probeEnded()
            return ProbeEnd(startedAt: report.startedAt, wantsRecheck: false)
        }
        tell(judged, isHeld: isHeld)
        return ProbeEnd(startedAt: report.startedAt, wantsRecheck: judged.judgement.wantsRecheck)
    }

    /// - Returns: whether a doubt about the vantage holds an alert of its.
    private func persist(_ judged: TargetRegistry.Judged) -> Bool {
        let record = HistoryRecord(
            result: judged.result, judgement: judged.judgement, judge: judged.isJudgeNews ? judged.judge : nil,
            interval: judged.interval, isInMaintenance: maintenance.covers(judged.result.target))
        guard judged.result.void == nil,
            judged.concernsAlerts || alerter.awaits(judged.result.target, isDown: judged.judge.status == .down)
        else {
            history.append(record)
            return false
        }
        alerter.trust(judged.standing)
        let report = TargetReport(
            target: judged.result.target, hostClass: judged.hostClass, judge: judged.judge, result: judged.result,
            certificate: judged.certificate, startedAt: judged.startedAt,
            isInMaintenance: record.isInMaintenance, describe: judged.describe)
        return alerter.apply(report, at: .now) { history.append(record, documents: $0) }
    }

    private func tell(_ judged: TargetRegistry.Judged, isHeld: Bool) {
        metrics.probeEnded(judged.result, judged.judgement.outcome, isUndecided: judged.judgement.wantsRecheck)
        // Before its status: a scrape between the two would find an outage that nobody holds.
        if isHeld { series.hold(judged.result.target) }
        series.record(judged.result, judged.judgement, judge: judged.judge)
        if judged.changesUnprobeable { sayUnprobeable(judged) }
        if judged.result.void == .proberFault { faults.say(judged.result.sentence, of: judged.target, logger) }
        if let transition = judged.judgement.transition { say(transition, judged.target) }
    }

    /// No status tells of it: the target is `unknown`, as one that has not been probed yet.
    private func sayUnprobeable(_ judged: TargetRegistry.Judged) {
        let name = displayText(judged.target.name)
        let identity = judged.target.identity
        var fields: Logger.Metadata = ["target_id": "\(identity.key)", "client_id": "\(identity.clientID)"]
        guard judged.judge.isUnprobeable else { return logger.notice("\(name) can be probed again", metadata: fields) }
        if let reason = judged.judgement.outcome.reason { fields["reason"] = "\(reason.rawValue)" }
        logger.warning("\(name) can't be probed: \(judged.result.sentence)", metadata: fields)
    }

    private func say(_ transition: Transition, _ target: Target) {
        var fields: Logger.Metadata = [
            "target_id": "\(target.identity.key)", "client_id": "\(target.identity.clientID)",
            "from": "\(transition.from.rawValue)",
        ]
        if let reason = transition.reason { fields["reason"] = "\(reason.rawValue)" }
        if let cause = transition.cause { fields["cause"] = "\(cause.rawValue)" }
        let level: Logger.Level =
            switch (transition.from, transition.to) {
            // At the first start there is one of these for every target.
            case (.unknown, .up): .debug
            case (_, .down): .error
            case (_, .degraded): .warning
            default: .notice
            }
        logger.log(
            level: level,
            "\(displayText(target.name)) is \(transition.to.rawValue): \(transition.sentence)", metadata: fields)
    }
}
