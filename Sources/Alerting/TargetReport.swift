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
        /// What a second look found of the host's other addresses, as in `192.0.2.2 answers`.
        package var otherAddresses: [String]

        package init(
            name: String, instance: String, host: String, region: String, detectionBound: Duration, lastGood: Duration?,
            otherAddresses: [String] = []
        ) {
            (self.name, self.instance, self.host, self.region) = (name, instance, host, region)
            (self.detectionBound, self.lastGood, self.otherAddresses) = (detectionBound, lastGood, otherAddresses)
        }
    }

    package var target: TargetIdentity
    package var status: Status
    package var cause: Cause?
    package var isUnprobeable: Bool
    package var isFlapping: Bool
    package var incident: Incident?
    package var result: ProbeResult
    /// When the probe started.
    package var startedAt: ContinuousClock.Instant
    package var isInMaintenance: Bool
    package var describe: @Sendable () -> Description

    package init(
        target: TargetIdentity, judge: Judge, result: ProbeResult, startedAt: ContinuousClock.Instant, isInMaintenance: Bool,
        describe: @escaping @Sendable () -> Description
    ) {
        (self.target, self.status, self.cause) = (target, judge.status, judge.cause)
        (isUnprobeable, isFlapping, incident) = (judge.isUnprobeable, judge.flapping.isOn, judge.incident)
        (self.result, self.startedAt, self.isInMaintenance, self.describe) = (result, startedAt, isInMaintenance, describe)
    }
}

extension TargetReport {
    /// The alert that this target should have of this name.
    func alert(_ name: AlertName, vantage: String, link: String) -> Alert {
        let description = describe()
        let identity = target
        let labels = [
            "alertname": name.rawValue, "severity": name.severity, "vantage": vantage,
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

    private func annotations(_ name: AlertName, _ description: Description, since: Timestamp, link: String)
        -> [String: String]
    {
        let what =
            switch name {
            case .targetDown: isFlapping ? "is flapping" : "is down"
            case .targetNotProbed: "can't be probed"
            case .certificateExpiring: "has a certificate that expires soon"
            default: "is degraded"
            }
        var annotations = [
            "summary": "\(displayText(description.name)) \(what)", "sentence": result.sentence, "since": "\(since)",
            "description": "\(displayText(description.instance)) \(what): \(result.sentence)",
            "detection_bound": "\(description.detectionBound.wholeMilliseconds) ms", "link": link,
        ]
        if isFlapping { annotations[Alert.flappingAnnotation] = "true" }
        annotations["reason"] = result.outcome.reason?.rawValue
        annotations["cause"] = cause?.rawValue
        annotations["last_good_latency"] = description.lastGood.map { millisecondWords($0) }
        annotations["address"] = result.facts.address
        if !description.otherAddresses.isEmpty {
            annotations["other_addresses"] = description.otherAddresses.joined(separator: ", ")
        }
        annotations["http_status"] = result.facts.httpStatus.map { "\($0)" }
        annotations["certificate_expiry"] = result.facts.certificateExpiry.map { "\($0)" }
        let phases: [(String, Duration?)] = [
            ("dns", result.phases.dns), ("connect", result.phases.connect), ("tls", result.phases.tls),
            ("processing", result.phases.processing), ("transfer", result.phases.transfer),
        ]
        let reached = phases.compactMap { name, phase in phase.map { "\(name) \(millisecondWords($0))" } }
        if !reached.isEmpty { annotations["phases"] = reached.joined(separator: ", ") }
        return annotations
    }
}
