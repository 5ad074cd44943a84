import Health

/// Which alerts fire: level against level, so that nothing depends on having seen each change. Pure.
///
/// What should fire follows from the judge of a target alone. An alert that should fire and doesn't yet may wait: for the end of a
/// maintenance window, or of a doubt about the vantage, for ``holdMax`` of doubt at most from when the first began to wait.
struct AlertBook: Sendable {
    typealias Trust = VantageJudge.Trust

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
    /// How long doubts about a class of hosts have held the first of them: time without a doubt isn't counted.
    private var heldTimes: [HostClass: HeldTime] = [:]
    /// What is believed and wasn't announced: an earlier life died first, or nobody was to be told.
    private var unannounced: Set<TargetIdentity> = []
    /// What an earlier life announced is not said again before its target was looked at.
    private var firstLooks = FirstLooks()
    /// What alerts about a certificate that fire are about: each result is looked at, for nothing of a judge tells of certificates.
    private var certified = CertificateAlerts()
    /// When this life began: a streak from before it was not seen whole by this vantage.
    private var bornAt = Timestamp(milliseconds: 0)
    private(set) var exceptions: [Exception: Int] = [:]

    private static let ofClients: Set<AlertName> = [.syncStale, .syncHeld]

    init(_ options: AlertingOptions) {
        (vantage, link, alertsDegraded, holdMax) = (options.vantage, options.link, options.alertsDegraded, options.holdMax)
    }

    var firing: Int { alerts.values.count { $0.isFiring } }
    /// Targets whose alert a doubt holds.
    var held: Set<TargetIdentity> { held { _ in true } }
    /// The classes of hosts of which a doubt or a suspicion holds an alert.
    var heldClasses: Set<HostClass> { Set(heldTimes.keys) }

    func held(where isMeant: (HostClass) -> Bool) -> Set<TargetIdentity> {
        guard !heldTimes.isEmpty else { return [] }
        return Set(waiting.values.filter { $0.heldSince != nil && isMeant($0.hostClass) }.map(\.target))
    }

    /// Alerts wait for a doubt to end, or for the first look at their target: each moment may begin one.
    var isWaiting: Bool { !heldTimes.isEmpty || firstLooks.areUnsettled }

    /// Whether a doubt holds an alert of a target.
    func holds(_ target: TargetIdentity) -> Bool {
        waiting[AlertKind(.targetDown).key(Alert.key(of: .target(target)))]?.heldSince != nil
    }

    /// Whether the next result of a target may matter though nothing of its judge changes.
    ///
    /// - Parameter isDown: whether it is down after that result: what is said of it is renewed then.
    func awaits(_ target: TargetIdentity, isDown: Bool) -> Bool {
        if unannounced.contains(target) { return true }
        guard !waiting.isEmpty || firstLooks.areAwaited || !certified.isEmpty || isDown && !alerts.isEmpty else { return false }
        let subject = Alert.key(of: .target(target))
        if firstLooks.awaits(subject) || certified.contains(subject) { return true }
        if isDown, alerts[AlertKind(.targetDown).key(subject)] != nil { return true }
        return !waiting.isEmpty && AlertKind.ofTargets.contains { waiting[$0.key(subject)] != nil }
    }

    /// Takes new settings. Returns the alerts that end by them.
    mutating func configure(_ options: AlertingOptions, at moment: Timestamp) -> [Alert] {
        (alertsDegraded, holdMax, link) = (options.alertsDegraded, options.holdMax, options.link)
        guard !alertsDegraded else { return [] }
        waiting = waiting.filter { $0.value.alert.name != .targetDegraded }
        let unwanted = alerts.values.filter { $0.name == .targetDegraded && $0.isFiring }
        return unwanted.flatMap { end($0.key, .disabled, at: moment) }
    }

    /// Targets whose alerts may be wanted by now though nothing of them changed.
    mutating func expect(_ targets: [TargetIdentity]) { unannounced.formUnion(targets) }

    /// What an earlier life had announced.
    mutating func restore(_ alert: Alert) {
        alerts[alert.key] = alert
        if !alert.isFiring { ended.insert(alert.key) }
        noteCertificate(alert)
    }

    /// Follows one judgement. Returns the alerts that have begun or ended by it.
    ///
    /// - Parameter trust: what the vantage is worth for hosts of its class.
    mutating func apply(_ report: TargetReport, _ trust: Trust, at now: ContinuousClock.Instant) -> [Alert] {
        let isDoubt = trust.isDoubtful || trust.isSuspicious
        heldTimes[report.hostClass]?.observe(isDoubt: isDoubt, at: now)
        defer { heldTimes[report.hostClass]?.observe(isDoubt: isDoubt, at: now) }
        let subject = Alert.key(of: .target(report.target))
        let wanted = wantedKinds(report, subject, at: now)
        let isUnannounced = unannounced.remove(report.target) != nil
        // One that is good decides nothing yet: it is waited for what follows.
        firstLooks.observe(subject, isDecided: report.status != .down || !report.result.outcome.isSuccess, at: now)
        var changes: [Alert] = []
        for kind in AlertKind.ofTargets {
            let key = kind.key(subject)
            guard wanted.contains(kind) else {
                waiting[key] = nil
                let isRaised = kind == .certificateSoon && wanted.contains(.certificateUrgent)
                // As long as the worse one waits itself, this one goes on.
                if isRaised, alerts[AlertKind.certificateUrgent.key(subject)]?.isFiring != true { continue }
                // Set aside, it has not recovered.
                let ending: Alert.Ending = report.isUnprobeable ? .removed : isRaised ? .raised : .recovered
                changes += end(key, ending, at: report.result.endedAt)
                continue
            }
            guard alerts[key]?.isFiring != true else {
                changes += renew(key, report)
                continue
            }
            var wait =
                waiting[key]
                ?? Waiting(
                    alert: report.alert(kind, vantage: vantage, link: link), target: report.target, hostClass: report.hostClass)
            update(&wait, by: report, kind)
            // The first result after a restart says nothing yet of the vantage.
            let isFirst = isUnannounced || (waiting[key] == nil && isOfLifeBefore(report, kind.name))
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

    /// Its host may be of another class by now, and its certificate have expired.
    private mutating func update(_ wait: inout Waiting, by report: TargetReport, _ kind: AlertKind) {
        if wait.hostClass != report.hostClass, wait.heldSince != nil, heldTimes[report.hostClass] == nil {
            heldTimes[report.hostClass] = heldTimes[wait.hostClass]
        }
        wait.hostClass = report.hostClass
        guard let certificate = report.certificate, AlertKind.wanted(certificate).contains(kind) else { return }
        wait.alert.annotations = report.alert(kind, vantage: vantage, link: link).annotations
    }

    /// - Returns: it, where what has changed is to be told at once.
    private mutating func renew(_ key: String, _ report: TargetReport) -> [Alert] {
        guard let known = alerts[key], let renewed = report.renewed(known, vantage: vantage, link: link) else { return [] }
        alerts[key] = renewed
        return renewed.isNews(to: known) ? [renewed] : []
    }

    var awaitsLooks: Bool { firstLooks.areUnsettled }

    /// Whether an alert of an earlier life may not be said again yet.
    func isHidden(_ alert: Alert) -> Bool { alert.isFiring && firstLooks.hides(alert.subjectKey) }

    /// Those whose target was looked at since, or whose time is over. Nothing hides them any more.
    ///
    /// - Returns: those of them that fire; nil when there are none, firing or not.
    mutating func release(at now: ContinuousClock.Instant) -> [Alert]? {
        guard let released = firstLooks.release(at: now) else { return nil }
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
            if isHeldTooLong(wait.hostClass, at: now) {
                wait.alert.annotations[Alert.doubtAnnotation] = "true"
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

    private func isHeldTooLong(_ hostClass: HostClass, at now: ContinuousClock.Instant) -> Bool {
        heldTimes[hostClass].map { $0.length(at: now) >= holdMax } ?? false
    }

    private mutating func hold(_ wait: inout Waiting, at now: ContinuousClock.Instant) {
        guard wait.heldSince == nil else { return }
        wait.heldSince = now
        heldTimes[wait.hostClass] = heldTimes[wait.hostClass] ?? HeldTime()
        exceptions[.vantageDoubt, default: 0] += 1
    }

    /// Time passes: what was held for a suspicion that proved nothing begins, and what has been held for too long.
    ///
    /// - Parameters:
    ///   - trust: what the vantage is worth for hosts of a class.
    ///   - isInMaintenance: whether a window has opened over a target meanwhile: then it waits for that.
    mutating func tick(
        _ trust: (HostClass) -> Trust, at now: ContinuousClock.Instant, isInMaintenance: (TargetIdentity) -> Bool
    ) -> [Alert] {
        guard !heldTimes.isEmpty else { return [] }
        return heldTimes.keys.flatMap { tick($0, trust($0), at: now, isInMaintenance: isInMaintenance) }
    }

    private mutating func tick(
        _ hostClass: HostClass, _ trust: Trust, at now: ContinuousClock.Instant, isInMaintenance: (TargetIdentity) -> Bool
    ) -> [Alert] {
        // There may be many, and a table that is changed while it is gone through is copied first.
        let held = waiting.compactMap { $1.heldSince != nil && $1.hostClass == hostClass ? $0 : nil }
        let isDoubt = trust.isDoubtful || trust.isSuspicious
        let awaitsCanaries = trust.vouchedUntil != nil && held.contains { isForCanaries(waiting[$0], trust) }
        heldTimes[hostClass]?.observe(isDoubt: isDoubt || awaitsCanaries, at: now)
        let isTooLong = isHeldTooLong(hostClass, at: now)
        var changes: [Alert] = []
        var isHolding = false
        for key in held {
            if trust.isDoubtful { waiting[key]?.wantsProof = true }
            guard let wait = waiting[key], isTooLong || !isDoubt && !wait.wantsProof && !trust.awaitsCanaries(wait.alert) else {
                isHolding = true
                continue
            }
            if isInMaintenance(wait.target) {
                waiting[key]?.heldSince = nil
                waiting[key]?.wantsProof = true
                continue
            }
            waiting[key] = nil
            var alert = wait.alert
            if isTooLong { alert.annotations[Alert.doubtAnnotation] = "true" }
            changes.append(open(alert))
        }
        if !isDoubt, !isHolding { heldTimes[hostClass] = nil }
        return changes
    }

    private func isForCanaries(_ wait: Waiting?, _ trust: Trust) -> Bool {
        wait.map { !$0.wantsProof && trust.awaitsCanaries($0.alert) } ?? false
    }

    /// A target is watched no longer.
    mutating func remove(_ target: TargetIdentity, at moment: Timestamp) -> [Alert] {
        let subject = Alert.key(of: .target(target))
        unannounced.remove(target)
        firstLooks.forget(subject)
        return AlertKind.ofTargets.flatMap { kind in
            let key = kind.key(subject)
            waiting[key] = nil
            return end(key, .removed, at: moment)
        }
    }

    /// A target is probed elsewhere from now on: nobody sees the certificate of the old place any more.
    mutating func move(_ target: TargetIdentity, at moment: Timestamp) -> [Alert] {
        guard !certified.isEmpty || !waiting.isEmpty else { return [] }
        let subject = Alert.key(of: .target(target))
        for kind in [AlertKind.certificateUrgent, .certificateSoon] { waiting[kind.key(subject)] = nil }
        return [AlertKind.certificateUrgent, .certificateSoon].flatMap { end($0.key(subject), .removed, at: moment) }
    }

    /// Begins or ends an alert that isn't about a target.
    mutating func set(
        _ name: AlertName, _ subject: Alert.Subject, isFiring: Bool?, at moment: Timestamp, summary: @autoclosure () -> String,
        description: @autoclosure () -> String
    ) -> [Alert] {
        guard let isFiring else { return [] }
        let key = AlertKind(name).key(Alert.key(of: subject))
        guard isFiring else { return end(key, .recovered, at: moment) }
        guard alerts[key]?.isFiring != true else { return [] }
        var labels = ["alertname": name.rawValue, "severity": name.severity.rawValue, "vantage": vantage]
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
            var kinds = wantedKinds(
                judge.status, judge.cause, isUnprobeable: judge.isUnprobeable, Alert.key(of: .target(target)))
            if !certified.isEmpty, !judge.isUnprobeable { kinds += certificateKinds(Alert.key(of: .target(target))) }
            guard !kinds.isEmpty else { continue }
            let subject = Alert.key(of: .target(target))
            for kind in kinds {
                let key = kind.key(subject)
                wanted.insert(key)
                if alerts[key]?.isFiring != true {
                    unannounced.insert(target)
                } else {
                    firstLooks.expect(subject, for: patience(target), at: now)
                }
            }
        }
        let over = alerts.values.filter { AlertKind.ofTargets.contains($0.kind) && $0.isFiring && !wanted.contains($0.key) }
        return over.flatMap { alert in
            end(alert.key, alert.name == .targetDegraded && !alertsDegraded ? .disabled : .removed, at: moment)
        }
    }

    /// Everyone has heard that it is over.
    mutating func forget(_ key: String) {
        guard alerts[key]?.isFiring == false else { return }
        alerts[key] = nil
        ended.remove(key)
    }

    private mutating func wantedKinds(_ report: TargetReport, _ subject: String, at now: ContinuousClock.Instant) -> [AlertKind] {
        let kinds = wantedKinds(report.status, report.cause, isUnprobeable: report.isUnprobeable, subject)
        guard !report.isUnprobeable else { return kinds }
        let known = certificateKinds(subject)
        let firing = known.filter { alerts[$0.key(subject)]?.isFiring == true }
        return kinds + certified.wanted(subject, known: known, firing: firing, after: report.certificate, at: now)
    }

    /// Those that fire or wait: they go on until a result says otherwise.
    private func certificateKinds(_ subject: String) -> [AlertKind] {
        [.certificateUrgent, .certificateSoon].filter { kind in
            let key = kind.key(subject)
            return alerts[key]?.isFiring == true || waiting[key] != nil
        }
    }

    private func wantedKinds(_ status: Status, _ cause: Cause?, isUnprobeable: Bool, _ subject: @autoclosure () -> String)
        -> [AlertKind]
    {
        let isDownKnown = cause == .flapping && alerts[AlertKind(.targetDown).key(subject())]?.isFiring == true
        return AlertKind.wanted(
            status, cause, isUnprobeable: isUnprobeable, isDownKnown: isDownKnown, alertsDegraded: alertsDegraded)
    }

    private mutating func noteCertificate(_ alert: Alert) {
        guard alert.name == .certificateExpiring else { return }
        let fires =
            alert.isFiring || certificateKinds(alert.subjectKey).contains { alerts[$0.key(alert.subjectKey)]?.isFiring == true }
        certified.note(alert.subjectKey, fires: fires)
    }

    private mutating func open(_ alert: Alert) -> Alert {
        alerts[alert.key] = alert
        ended.remove(alert.key)
        noteCertificate(alert)
        return alert
    }

    private mutating func end(_ key: String, _ ending: Alert.Ending, at moment: Timestamp) -> [Alert] {
        guard var alert = alerts[key], alert.isFiring else { return [] }
        alert.end(ending, at: moment)
        alerts[key] = alert
        ended.insert(key)
        noteCertificate(alert)
        return [alert]
    }
}
