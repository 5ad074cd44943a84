import Health

/// Which alerts fire: level against level, so that nothing depends on having seen each change. Pure.
///
/// What should fire follows from the judge of a target alone. An alert that should fire and doesn't yet may wait: for the end of a
/// maintenance window, or of a doubt about the vantage, for ``holdMax`` of doubt at most from when the first began to wait.
struct AlertBook: Sendable {
    private struct Waiting: Sendable {
        var alert: Alert
        var target: TargetIdentity
        /// Since when a doubt holds it, if one does.
        var heldSince: ContinuousClock.Instant?
        /// What was seen under a doubt proves nothing: it opens with a bad result of a probe that started after it.
        var wantsProof = false
    }

    private struct Unseen: Sendable {
        /// So long it is waited for.
        let patience: Duration
        var until: ContinuousClock.Instant
    }

    /// What is known of the vantage.
    struct Trust: Sendable {
        var isDoubtful = false
        var isSuspicious = false
        var trustedSince: ContinuousClock.Instant?
        /// Outages that began later wait for the canaries; nil where there are none.
        var vouchedUntil: Timestamp?

        func awaitsCanaries(_ alert: Alert) -> Bool { vouchedUntil.map { alert.startedAt > $0 } ?? false }
    }

    private struct HeldTime: Sendable {
        var isHolding = false
        private var total: Duration = .zero
        private var since: ContinuousClock.Instant?

        mutating func follow(isDoubt: Bool, at now: ContinuousClock.Instant) {
            if isDoubt {
                if isHolding { since = since ?? now }
            } else if let began = since {
                (total, since) = (total + began.duration(to: now), nil)
            }
        }

        func length(at now: ContinuousClock.Instant) -> Duration { total + (since?.duration(to: now) ?? .zero) }
    }

    enum Exception: String, Hashable, Sendable, CaseIterable {
        case vantageDoubt = "vantage_doubt"
        case maintenance
    }

    private let vantage: String
    private var link: String
    private var alertsDegraded: Bool
    private var holdMax: Duration
    /// By key: those that fire, and those that have ended and somebody has still to hear of.
    private(set) var alerts: [String: Alert] = [:]
    /// The keys of those that have ended.
    private(set) var ended: Set<String> = []
    private var waiting: [String: Waiting] = [:]
    /// How long doubts have held the first of them: time without a doubt isn't counted.
    private var heldTime = HeldTime()
    /// What is believed and wasn't announced: an earlier life died first, or nobody was to be told.
    private var unannounced: Set<TargetIdentity> = []
    /// Whose alerts an earlier life announced and this one has still to look at, by the key of what they are about. What was seen before may be
    /// over by now: nothing is said of it before.
    private var unseen: [String: Unseen] = [:]
    /// Looked at since ``release(at:)``.
    private var seen: Set<String> = []
    private var releasedAt: ContinuousClock.Instant?
    /// When this life began: a streak from before it was not seen whole by this vantage.
    private var bornAt = Timestamp(milliseconds: 0)
    private(set) var exceptions: [Exception: Int] = [:]

    private static let ofTargets: [AlertName] = [.targetDown, .targetDegraded, .certificateExpiring, .targetNotProbed]
    private static let ofClients: Set<AlertName> = [.syncStale, .syncHeld]

    init(_ options: AlertingOptions) {
        (vantage, link, alertsDegraded, holdMax) = (options.vantage, options.link, options.alertsDegraded, options.holdMax)
    }

    var firing: Int { alerts.values.count { $0.isFiring } }
    /// Targets whose alert a doubt holds.
    var held: Set<TargetIdentity> { Set(waiting.values.filter { $0.heldSince != nil }.map(\.target)) }

    /// Whether a doubt holds an alert of a target.
    func holds(_ target: TargetIdentity) -> Bool {
        waiting[Alert.key(.targetDown, Alert.key(of: .target(target)))]?.heldSince != nil
    }

    /// Whether the next result of a target may matter though nothing of its judge changes.
    ///
    /// - Parameter isDown: whether it is down after that result: what is said of it is renewed then.
    func awaits(_ target: TargetIdentity, isDown: Bool) -> Bool {
        if unannounced.contains(target) { return true }
        guard !waiting.isEmpty || !unseen.isEmpty || isDown && !alerts.isEmpty else { return false }
        let subject = Alert.key(of: .target(target))
        if unseen[subject] != nil || isDown && alerts[Alert.key(.targetDown, subject)] != nil { return true }
        return Self.ofTargets.contains { waiting[Alert.key($0, subject)] != nil }
    }

    /// Takes new settings. Returns the alerts that end by them.
    mutating func configure(_ options: AlertingOptions, at moment: Timestamp) -> [Alert] {
        (alertsDegraded, holdMax, link) = (options.alertsDegraded, options.holdMax, options.link)
        guard !alertsDegraded else { return [] }
        let unwanted = [AlertName.targetDegraded, .certificateExpiring]
        waiting = waiting.filter { !unwanted.contains($0.value.alert.name) }
        return alerts.values.filter { unwanted.contains($0.name) && $0.isFiring }.flatMap { end($0.key, .disabled, at: moment) }
    }

    /// Targets whose alerts may be wanted by now though nothing of them changed.
    mutating func expect(_ targets: [TargetIdentity]) { unannounced.formUnion(targets) }

    /// What an earlier life had announced.
    mutating func restore(_ alert: Alert) {
        alerts[alert.key] = alert
        if !alert.isFiring { ended.insert(alert.key) }
    }

    /// Follows one judgement. Returns the alerts that have begun or ended by it.
    mutating func follow(_ report: TargetReport, _ trust: Trust, at now: ContinuousClock.Instant) -> [Alert] {
        heldTime.follow(isDoubt: trust.isDoubtful || trust.isSuspicious, at: now)
        defer { heldTime.follow(isDoubt: trust.isDoubtful || trust.isSuspicious, at: now) }
        let subject = Alert.key(of: .target(report.target))
        let wanted = wantedNames(report.status, report.cause, isUnprobeable: report.isUnprobeable, subject)
        let isUnannounced = unannounced.remove(report.target) != nil
        if !unseen.isEmpty { look(at: subject, report, at: now) }
        var changes: [Alert] = []
        for name in Self.ofTargets {
            let key = Alert.key(name, subject)
            guard wanted.contains(name) else {
                waiting[key] = nil
                // Set aside, it has not recovered.
                changes += end(key, report.isUnprobeable ? .removed : .recovered, at: report.result.endedAt)
                continue
            }
            guard alerts[key]?.isFiring != true else {
                changes += renew(key, report)
                continue
            }
            var wait =
                waiting[key]
                ?? Waiting(
                    alert: report.alert(name, vantage: vantage, link: link), target: report.target)
            // The first result after a restart says nothing yet of the vantage.
            let isFirst = isUnannounced || (waiting[key] == nil && isOfLifeBefore(report, name))
            wait.wantsProof = wait.wantsProof || isFirst
            if isHeld(&wait, report, trust, isNew: waiting[key] == nil, at: now) || isFirst {
                waiting[key] = wait
            } else {
                waiting[key] = nil
                changes.append(open(wait.alert))
            }
        }
        return changes
    }

    /// What is said of it may have changed since it began; its labels are what it is known by.
    ///
    /// - Returns: it, where that is to be told at once: it has begun to flap.
    private mutating func renew(_ key: String, _ report: TargetReport) -> [Alert] {
        guard let known = alerts[key] else { return [] }
        let isNews = report.isFlapping && !known.isFlapping
        // A good result says nothing of why it is down.
        guard isNews || !report.result.outcome.isSuccess, isNews || known.annotations["sentence"] != report.result.sentence else {
            return []
        }
        var annotations = report.alert(known.name, vantage: vantage, link: link).annotations
        for kept in ["since", Self.doubtAnnotation] { annotations[kept] = known.annotations[kept] }
        // Once it has begun to flap, that is said until it is over.
        if known.isFlapping, !report.isFlapping {
            annotations[Alert.flappingAnnotation] = "true"
            annotations["summary"] = known.annotations["summary"]
        }
        alerts[key]?.annotations = annotations
        return isNews ? alerts[key].map { [$0] } ?? [] : []
    }

    /// The first look after a restart. One that is good decides nothing yet: it is waited for what follows.
    private mutating func look(at subject: String, _ report: TargetReport, at now: ContinuousClock.Instant) {
        guard let waited = unseen[subject] else { return }
        if report.status == .down, report.result.outcome.isSuccess {
            unseen[subject]?.until = now.advanced(by: waited.patience)
        } else {
            unseen[subject] = nil
            seen.insert(subject)
        }
    }

    var awaitsLooks: Bool { !unseen.isEmpty || !seen.isEmpty }

    /// Whether an alert of an earlier life may not be said again yet.
    func isHidden(_ alert: Alert) -> Bool {
        alert.isFiring && (unseen[alert.subjectKey] != nil || seen.contains(alert.subjectKey))
    }

    /// Those whose target was looked at since, or whose time is over; once a second at most, for there may be many. Nothing hides them any more.
    ///
    /// - Returns: those of them that fire; nil when there are none, firing or not.
    mutating func release(at now: ContinuousClock.Instant) -> [Alert]? {
        guard awaitsLooks, releasedAt.map({ $0.duration(to: now) >= .seconds(1) }) ?? true else { return nil }
        let late = unseen.filter { $0.value.until <= now }.map(\.key)
        for subject in late { unseen[subject] = nil }
        let released = seen.union(late)
        guard !released.isEmpty else { return nil }
        (seen, releasedAt) = ([], now)
        return alerts.values.filter { $0.isFiring && released.contains($0.subjectKey) }
    }

    /// Whether the failures that made it `down` began before a restart.
    private func isOfLifeBefore(_ report: TargetReport, _ name: AlertName) -> Bool {
        name == .targetDown && report.incident.map { $0.startedAt < bornAt } ?? false
    }

    /// Whether an alert that should fire has to wait, and for what.
    private mutating func isHeld(
        _ wait: inout Waiting, _ report: TargetReport, _ trust: Trust, isNew: Bool, at now: ContinuousClock.Instant
    ) -> Bool {
        if report.isInMaintenance {
            if isNew { exceptions[.maintenance, default: 0] += 1 }
            wait.heldSince = nil
            wait.wantsProof = wait.wantsProof || wait.alert.name == .targetDown
            return true
        }
        // A bad record is no matter of the vantage, and what answers badly answers.
        guard wait.alert.name == .targetDown else { return false }
        if trust.isDoubtful || trust.isSuspicious || trust.awaitsCanaries(wait.alert) {
            if isHeldTooLong(at: now) {
                wait.alert.annotations[Self.doubtAnnotation] = "true"
                return false
            }
            hold(&wait, at: now)
            wait.wantsProof = wait.wantsProof || trust.isDoubtful
            return true
        }
        // It failed under a doubt that has ended, or before the restart.
        let startedInDoubt = trust.trustedSince.map { report.startedAt < $0 } ?? false
        if startedInDoubt, isNew || wait.wantsProof {
            hold(&wait, at: now)
            wait.wantsProof = true
            return true
        }
        return wait.wantsProof && report.result.outcome.isSuccess
    }

    private static let doubtAnnotation = "during_vantage_doubt"

    private func isHeldTooLong(at now: ContinuousClock.Instant) -> Bool {
        heldTime.isHolding && heldTime.length(at: now) >= holdMax
    }

    private mutating func hold(_ wait: inout Waiting, at now: ContinuousClock.Instant) {
        guard wait.heldSince == nil else { return }
        wait.heldSince = now
        heldTime.isHolding = true
        exceptions[.vantageDoubt, default: 0] += 1
    }

    /// Time passes: what was held for a suspicion that proved nothing begins, and what has been held for too long.
    ///
    /// - Parameter isInMaintenance: whether a window has opened over a target meanwhile: then it waits for that.
    mutating func tick(_ trust: Trust, at now: ContinuousClock.Instant, isInMaintenance: (TargetIdentity) -> Bool) -> [Alert] {
        guard heldTime.isHolding else { return [] }
        // Without canaries nobody waits for them, and there may be many to look through.
        let awaitsCanaries =
            trust.vouchedUntil != nil
            && waiting.values.contains { $0.heldSince != nil && !$0.wantsProof && trust.awaitsCanaries($0.alert) }
        heldTime.follow(isDoubt: trust.isDoubtful || trust.isSuspicious || awaitsCanaries, at: now)
        var changes: [Alert] = []
        let isTooLong = isHeldTooLong(at: now)
        for (key, wait) in waiting where wait.heldSince != nil {
            if trust.isDoubtful { waiting[key]?.wantsProof = true }
            let isCleared =
                !trust.isDoubtful && !trust.isSuspicious && !wait.wantsProof && !trust.awaitsCanaries(wait.alert)
            guard isTooLong || isCleared else { continue }
            if isInMaintenance(wait.target) {
                waiting[key]?.heldSince = nil
                waiting[key]?.wantsProof = true
                continue
            }
            waiting[key] = nil
            var alert = wait.alert
            if isTooLong { alert.annotations[Self.doubtAnnotation] = "true" }
            changes.append(open(alert))
        }
        let isOver = !trust.isDoubtful && !trust.isSuspicious
        if isOver, !waiting.values.contains(where: { $0.heldSince != nil }) { heldTime = HeldTime() }
        return changes
    }

    /// A target is watched no longer.
    mutating func remove(_ target: TargetIdentity, at moment: Timestamp) -> [Alert] {
        let subject = Alert.key(of: .target(target))
        unannounced.remove(target)
        if unseen.removeValue(forKey: subject) != nil { seen.insert(subject) }
        return Self.ofTargets.flatMap { name in
            let key = Alert.key(name, subject)
            waiting[key] = nil
            return end(key, .removed, at: moment)
        }
    }

    /// Begins or ends an alert that isn't about a target.
    mutating func set(
        _ name: AlertName, _ subject: Alert.Subject, isFiring: Bool?, at moment: Timestamp, summary: @autoclosure () -> String,
        description: @autoclosure () -> String
    ) -> [Alert] {
        guard let isFiring else { return [] }
        let key = Alert.key(name, Alert.key(of: subject))
        guard isFiring else { return end(key, .recovered, at: moment) }
        guard alerts[key]?.isFiring != true else { return [] }
        var labels = ["alertname": name.rawValue, "severity": name.severity, "vantage": vantage]
        if case .client(let id) = subject { labels["client_id"] = displayText(id) }
        let annotations = ["summary": summary(), "description": description(), "since": "\(moment)", "link": link]
        return [open(Alert(name, subject, labels: labels, annotations: annotations, startedAt: moment))]
    }

    /// Lists of clients that are configured no longer are nobody's.
    mutating func keepClients(_ clients: Set<String>, at moment: Timestamp) -> [Alert] {
        let kept = Set(clients.map { Alert.key(of: .client($0)) })
        let over = alerts.values.filter { Self.ofClients.contains($0.name) && $0.isFiring && !kept.contains($0.subjectKey) }
        return over.flatMap { end($0.key, .removed, at: moment) }
    }

    /// The judges after a restart: alerts whose reason went meanwhile end, and targets that are down and weren't announced wait for proof.
    ///
    /// - Parameter patience: how long the first look at a target is waited for, before what an earlier life announced of it is said again.
    mutating func reconcile(
        _ judges: [TargetIdentity: Judge], at moment: Timestamp, _ now: ContinuousClock.Instant,
        patience: (TargetIdentity) -> Duration
    ) -> [Alert] {
        bornAt = moment
        var wanted: Set<String> = []
        for (target, judge) in judges {
            // Of most targets nothing is wanted, and their keys aren't made.
            let names = wantedNames(
                judge.status, judge.cause, isUnprobeable: judge.isUnprobeable, Alert.key(of: .target(target)))
            guard !names.isEmpty else { continue }
            let subject = Alert.key(of: .target(target))
            for name in names {
                let key = Alert.key(name, subject)
                wanted.insert(key)
                if alerts[key]?.isFiring != true {
                    unannounced.insert(target)
                } else if patience(target) > .zero {
                    unseen[subject] = Unseen(patience: patience(target), until: now.advanced(by: patience(target)))
                }
            }
        }
        let over = alerts.values.filter { Self.ofTargets.contains($0.name) && $0.isFiring && !wanted.contains($0.key) }
        return over.flatMap { end($0.key, .removed, at: moment) }
    }

    /// Everyone has heard that it is over.
    mutating func forget(_ key: String) {
        guard alerts[key]?.isFiring == false else { return }
        alerts[key] = nil
        ended.remove(key)
    }

    private func wantedNames(_ status: Status, _ cause: Cause?, isUnprobeable: Bool, _ subject: @autoclosure () -> String)
        -> [AlertName]
    {
        if isUnprobeable { return [.targetNotProbed] }
        // What flaps is up by chance: its outage goes on until it no longer does.
        if cause == .flapping, alerts[Alert.key(.targetDown, subject())]?.isFiring == true { return [.targetDown] }
        switch status {
        case .down: return [.targetDown]
        case .degraded where alertsDegraded: return [cause == .certificateExpiring ? .certificateExpiring : .targetDegraded]
        default: return []
        }
    }

    private mutating func open(_ alert: Alert) -> Alert {
        alerts[alert.key] = alert
        ended.remove(alert.key)
        return alert
    }

    private mutating func end(_ key: String, _ ending: Alert.Ending, at moment: Timestamp) -> [Alert] {
        guard var alert = alerts[key], alert.isFiring else { return [] }
        alert.end(ending, at: moment)
        alerts[key] = alert
        ended.insert(key)
        return [alert]
    }
}
