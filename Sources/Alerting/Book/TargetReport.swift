package import Health

/// What the judge made of one result, as far as alerts follow it.
package struct TargetReport: Sendable {
    /// What is said of a target in its alerts: asked for only when there is one.
    package struct Description: Hashable, Sendable {
        package var name: String
        /// The probed URL, query values left out.
        package var instance: String
        package var host: String
        package var region: String
        package var detectionBound: Duration
        package var lastGood: Duration?
        /// What the check found of the host's other addresses, as in `192.0.2.2 answers`.
        package var otherAddresses: [String]
        /// What the target said, in a few lines that are safe to show; nil where alerts don't have it.
        package var evidence: String?

        package init(
            name: String, instance: String, host: String, region: String, detectionBound: Duration, lastGood: Duration?,
            otherAddresses: [String] = [], evidence: String? = nil
        ) {
            self.evidence = evidence
            (self.name, self.instance, self.host, self.region) = (name, instance, host, region)
            (self.detectionBound, self.lastGood, self.otherAddresses) = (detectionBound, lastGood, otherAddresses)
        }
    }

    package var target: TargetIdentity
    /// Of its host.
    package var hostClass: HostClass
    package var status: Status
    package var cause: Cause?
    package var isUnprobeable: Bool
    package var isFlapping: Bool
    package var incident: Incident?
    package var result: ProbeResult
    /// nil: the result says nothing of a certificate.
    package var certificate: CertificateNotice?
    /// When the probe started.
    package var startedAt: ContinuousClock.Instant
    package var isInMaintenance: Bool
    package var describe: @Sendable () -> Description

    package init(
        target: TargetIdentity, hostClass: HostClass = .outside, judge: Judge, result: ProbeResult,
        certificate: CertificateNotice? = nil, startedAt: ContinuousClock.Instant, isInMaintenance: Bool,
        describe: @escaping @Sendable () -> Description
    ) {
        (self.target, self.hostClass) = (target, hostClass)
        (status, cause) = (judge.status, judge.cause)
        (isUnprobeable, isFlapping, incident) = (judge.isUnprobeable, judge.flapping.isOn, judge.incident)
        (self.result, self.certificate, self.startedAt) = (result, certificate, startedAt)
        (self.isInMaintenance, self.describe) = (isInMaintenance, describe)
    }
}

extension TargetReport {
    /// The alert that this target should have of this kind.
    func alert(_ kind: AlertKind, vantage: String, link: String) -> Alert {
        let name = kind.name
        let description = describe()
        let identity = target
        let labels = [
            "alertname": name.rawValue, "severity": kind.severity.rawValue, "vantage": vantage,
            "client_id": displayText(identity.clientID),
            "target_id": displayText(identity.key), "target": displayText(description.name),
            "instance": displayText(description.instance),
            "host": displayText(description.host), "region": displayText(description.region),
        ]
        let startedAt = name == .targetDown ? incident?.startedAt ?? result.startedAt : result.startedAt
        return Alert(
            name, .target(identity), labels: labels, annotations: annotations(name, description, since: startedAt, link: link),
            startedAt: startedAt)
    }

    /// What is said of an alert may have changed since it began; its labels are what it is known by. nil when nothing has changed.
    func renewed(_ known: Alert, vantage: String, link: String) -> Alert? {
        if known.name == .certificateExpiring { return renewedCertificate(known, vantage: vantage, link: link) }
        let isNews = isFlapping && !known.isFlapping
        // A good result says nothing of why it is down.
        guard isNews || !result.outcome.isSuccess && known.annotations["sentence"] != result.sentence else { return nil }
        var renewed = known
        renewed.annotations = alert(known.kind, vantage: vantage, link: link).annotations
        for kept in ["since", Alert.doubtAnnotation] { renewed.annotations[kept] = known.annotations[kept] }
        // Once it has begun to flap, that is said until it is over, or steadily down.
        if known.isFlapping, !isFlapping, status != .down {
            renewed.annotations[Alert.flappingAnnotation] = "true"
            renewed.annotations["summary"] = known.annotations["summary"]
        }
        return renewed
    }

    private func renewedCertificate(_ known: Alert, vantage: String, link: String) -> Alert? {
        // Another certificate, which isn't believed yet.
        guard let certificate, let expiry = certificate.expiry, AlertKind.wanted(certificate).contains(known.kind) else {
            return nil
        }
        let isExpired = certificate.grade == .expired
        // Another of several servers has one that lasts for some days yet.
        guard isExpired || !known.isOfExpired else { return nil }
        guard "\(expiry)" != known.annotations["certificate_expiry"] || isExpired != known.isOfExpired else { return nil }
        var renewed = known
        renewed.annotations = alert(known.kind, vantage: vantage, link: link).annotations
        renewed.annotations["since"] = known.annotations["since"]
        return renewed
    }

    private func annotations(_ name: AlertName, _ description: Description, since: Timestamp, link: String)
        -> [String: String]
    {
        let what =
            switch name {
            case .targetDown: isFlapping ? "is flapping" : "is down"
            case .targetNotProbed: "can't be probed"
            case .certificateExpiring:
                certificate?.grade == .expired ? "has an expired certificate" : "has a certificate that expires soon"
            default: "is degraded"
            }
        let sentence = name == .certificateExpiring ? sentenceOfCertificate : result.sentence
        var annotations = [
            "summary": "\(displayText(description.name)) \(what)", "sentence": sentence, "since": "\(since)",
            "description": "\(displayText(description.instance)) \(what): \(sentence)",
            "detection_bound": "\(description.detectionBound.wholeMilliseconds) ms", "link": link,
        ]
        if isFlapping, name != .certificateExpiring { annotations[Alert.flappingAnnotation] = "true" }
        if name == .certificateExpiring, certificate?.grade == .expired { annotations[Alert.expiredAnnotation] = "true" }
        annotations["reason"] = result.outcome.reason?.rawValue
        annotations["cause"] = cause?.rawValue
        annotations["last_good_latency"] = description.lastGood.map { millisecondWords($0) }
        annotations["address"] = result.facts.address
        if !description.otherAddresses.isEmpty {
            annotations["other_addresses"] = description.otherAddresses.joined(separator: ", ")
        }
        if name == .targetDown { annotations["evidence"] = description.evidence }
        annotations["http_status"] = result.facts.httpStatus.map { "\($0)" }
        annotations["certificate_expiry"] = (certificate?.expiry ?? result.facts.certificateExpiry).map { "\($0)" }
        let reached = Phase.allCases.compactMap { phase in
            result.phases[phase].map { "\(phase.rawValue) \(millisecondWords($0))" }
        }
        if !reached.isEmpty { annotations["phases"] = reached.joined(separator: ", ") }
        return annotations
    }

    /// What came of the probe may be another matter.
    private var sentenceOfCertificate: String {
        if result.outcome == .poor(.certificateExpiring) || result.outcome == .bad(.certificateExpired) { return result.sentence }
        let words = certificate?.grade == .expired ? "the certificate has expired" : "the certificate expires soon"
        return certificate?.expiry.map { "\(words) (\($0))" } ?? words
    }
}
