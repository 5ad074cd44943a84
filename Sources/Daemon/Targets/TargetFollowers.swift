import Alerting
import Exposition
import Health
import History
import Logging
import Pages
import Probing

/// Everybody who is told when a target was judged, moved or removed: the history, the alerts, the series on `/metrics`, and the log.
///
/// Nothing here waits for a disk, a page or an alert: History queues, Exposition writes numbers into a table, and Alerting sends later.
struct TargetFollowers: Sendable {
    let registry: TargetRegistry
    let history: History
    let alerter: Alerter
    let maintenance: MaintenanceBook
    let series: TargetSeries
    let metrics: DaemonMetrics
    let logger: Logger
    private let attention: Attention
    private let pages: PageIndex
    private let faults = FaultLog()
    private let evidence = EvidenceBook()

    init(
        registry: TargetRegistry, history: History, alerter: Alerter, maintenance: MaintenanceBook, series: TargetSeries,
        metrics: DaemonMetrics, logger: Logger, attention: Attention, pages: PageIndex
    ) {
        (self.registry, self.history, self.alerter, self.maintenance) = (registry, history, alerter, maintenance)
        (self.series, self.metrics, self.logger, self.attention) = (series, metrics, logger, attention)
        self.pages = pages
    }

    /// Tells a change, and what has happened to the same target meanwhile. nil: another thread tells it.
    func tell(_ change: TargetChange?) {
        var next = change
        while let change = next {
            switch change {
            case .judged(let judged): tell(judged)
            case .moved(let target, let moment):
                evidence.forget(target)
                alerter.move(target, at: moment)
            case .removed(let target, let slot, let incident, let moment):
                tellRemoval(of: target, closing: incident, at: moment)
                pages.remove(target, slot: Int(slot))
            }
            next = registry.next(after: change.target)
        }
    }

    /// A target of an earlier life that is on no list any more. No other change of it can come in between.
    func tellRemoval(of target: TargetIdentity, closing incident: Incident?, at moment: Timestamp) {
        if let note = incident.flatMap({ evidence.end(of: $0) }) { history.append(note) }
        evidence.forget(target)
        alerter.remove(target, at: moment) { [history] in history.append(removalOf: target, closing: incident, documents: $0) }
    }

    // MARK: A result

    private func tell(_ judged: JudgedResult) {
        let isHeld = persist(judged)
        metrics.probeEnded(judged.result, judged.judgement.outcome, isUndecided: judged.judgement.wantsRecheck)
        // Before its status: a scrape between the two would find an outage that nobody holds.
        if isHeld { series.hold(judged.result.target) }
        if judged.isNoteworthy { attention.raise() }
        series.record(judged.result, judged.judgement, judge: judged.judge)
        pages.record(judged)
        if judged.changesUnprobeable { logUnprobeable(judged) }
        if judged.result.void == .proberFault { faults.say(judged.result.sentence, of: judged.target, logger) }
        if let transition = judged.judgement.transition { log(transition, of: judged.target) }
    }

    /// Hands the result to the history, with what the alerts make of it.
    ///
    /// - Returns: whether a doubt about the vantage holds an alert of the target.
    private func persist(_ judged: JudgedResult) -> Bool {
        let record = HistoryRecord(
            result: judged.result, judgement: judged.judgement, judge: judged.isJudgeNews ? judged.judge : nil,
            // The history believes a result for three of these.
            interval: judged.policy.value.interval * judged.intervalsTolerated / Judge.intervalsTolerated,
            isInMaintenance: maintenance.covers(judged.result.target),
            incidentNotes: evidence.notes(on: judged) { [pages] in pages.certificate(slot: Int(judged.slot)) })
        let certificate = CertificateNotice(judged.result, days: judged.policy.value.certificateDays)
        let interest = alerter.interest(in: judged.result.target, isDown: judged.judge.status == .down)
        if judged.result.void == nil, interest.wantsResult || judged.concernsAlerts(certificate) {
            alerter.trust(registry.standing)
            let report = judged.report(
                certificate, isInMaintenance: record.isInMaintenance, tellsEvidence: interest.tellsEvidence)
            return alerter.apply(report, at: .now) { [history] in history.append(record, documents: $0) }
        }
        if interest.isWriting {
            // A result of this target that came before may be among what is being written.
            alerter.inOrder { [history] in history.append(record) }
        } else {
            history.append(record)
        }
        return false
    }

    // MARK: The log

    /// No status says that a target can't be probed: the target is `unknown`, as a target that has not been probed yet.
    private func logUnprobeable(_ judged: JudgedResult) {
        let name = displayText(judged.target.name)
        var fields = Self.fields(of: judged.target)
        guard judged.judge.isUnprobeable else { return logger.notice("\(name) can be probed again", metadata: fields) }
        if let reason = judged.judgement.outcome.reason { fields["reason"] = "\(reason.rawValue)" }
        logger.warning("\(name) can't be probed: \(judged.result.sentence)", metadata: fields)
    }

    private func log(_ transition: Transition, of target: Target) {
        var fields = Self.fields(of: target)
        fields["from"] = "\(transition.from.rawValue)"
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
            level: level, "\(displayText(target.name)) is \(transition.to.rawValue): \(transition.sentence)", metadata: fields)
    }

    private static func fields(of target: Target) -> Logger.Metadata {
        ["target_id": "\(target.identity.key)", "client_id": "\(target.identity.clientID)"]
    }
}

extension JudgedResult {
    /// Whether something goes on: all but the success of a target that stays as it is, or is new, and the failure of one that has long failed.
    var isNoteworthy: Bool {
        let isChange = judgement.transition.map { ($0.from, $0.to) != (.unknown, .up) } ?? false
        if isChange || changesUnprobeable { return true }
        let hasLongFailed = judge.isUnprobeable || judge.status == .down && !judgement.wantsRecheck
        return (result.void != nil || !judgement.outcome.isSuccess) && !hasLongFailed
    }

    /// Whether an alert may begin or end by the result.
    func concernsAlerts(_ certificate: CertificateNotice?) -> Bool {
        result.void == nil
            && (judgement.transition != nil || judgement.incident != nil || changesUnprobeable || changesCause
                || certificate.map { $0.grade != .fine } ?? false)
    }

    func report(_ certificate: CertificateNotice?, isInMaintenance: Bool, tellsEvidence: Bool) -> TargetReport {
        TargetReport(
            target: result.target, hostClass: hostClass, judge: judge, result: result, certificate: certificate,
            startedAt: startedAt ?? .now, isInMaintenance: isInMaintenance,
            describe: { [target, url, policy, lastGood, otherAddresses, evidence] in
                var description = TargetReport.Description(
                    target, url: url, policy.value, lastGood: lastGood?.duration, others: otherAddresses)
                if tellsEvidence { description.evidence = evidence?.excerpt }
                return description
            })
    }
}
