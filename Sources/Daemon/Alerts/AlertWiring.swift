import Alerting
import Curl
import Exposition
import Health
import History
import Logging
import Probing
import Settings

extension AlertingOptions {
    /// - Parameters:
    ///   - hasTLS: whether the pages are served over TLS.
    ///   - hostName: this machine's, by which people may reach what listens at all addresses.
    init(_ settings: Settings, vantage: Settings.Vantage, hasTLS: Bool, hostName: String) {
        let section = settings.alerting
        self.init(vantage: vantage.name, link: pagesBase(settings, hasTLS: hasTLS, hostName: hostName))
        for url in section.alertmanagers { add(alertmanager: url) }
        for (index, webhook) in section.webhooks.enumerated() {
            add(Webhook(url: webhook.url, secret: webhook.secret, position: index + 1))
        }
        (resendInterval, groupWindow, alertsDegraded) = (section.resendInterval, section.groupWindow, section.degraded)
        tellsEvidence = section.evidence
        heartbeat = section.heartbeat.map { Heartbeat(url: $0.url, interval: $0.interval, posts: $0.posts) }
        holdMax = vantage.holdMax
    }
}

/// How people reach the pages, ended by a slash.
func pagesBase(_ settings: Settings, hasTLS: Bool, hostName: String) -> String {
    if let url = settings.externalURL { return url.hasSuffix("/") ? url : url + "/" }
    var listen = settings.listen
    if ["0.0.0.0", "::"].contains(listen.host) { listen.host = hostName }
    return "\(hasTLS ? "https" : "http")://\(listen)/"
}

extension TargetRegistry {
    /// How long the first look at a target is waited for after a start, before what fires is said again: no longer than an Alertmanager keeps what
    /// isn't, which is four intervals of resending.
    func patience(of target: TargetIdentity, _ settings: Settings) -> Duration {
        min(policy(of: target)?.interval ?? .zero, settings.alerting.resendInterval * 2)
    }
}

extension AlertMemory {
    /// Alerts are durable with the results that they follow from.
    init(_ history: History) {
        self.init(
            persist: { history.append($0) },
            durable: {
                let statistics = history.statistics
                return statistics.isWritable ? statistics.ticket : nil
            })
    }
}

extension Alerter {
    convenience init(
        _ settings: Settings, _ context: Daemon.Context, _ history: History, _ maintenance: MaintenanceBook, hasTLS: Bool
    ) {
        let logger = context.logger
        self.init(
            AlertingOptions(
                settings, vantage: settings.vantage, hasTLS: hasTLS, hostName: context.surroundings.hostName),
            memory: AlertMemory(history), inMaintenance: { maintenance.covered },
            onEvent: { event in
                if case .told(let target, let startedAt, let moment) = event {
                    history.append(IncidentNote(target: target, startedAt: startedAt, .alerted(at: moment)))
                } else {
                    report(event, logger: logger)
                }
            })
    }
}

extension TargetReport.Description {
    /// - Parameters:
    ///   - lastGood: how long the last good probe took.
    ///   - others: what the check of this interval found.
    init(_ target: Target, url: URLParts?, _ policy: ProbePolicy, lastGood: Duration?, others: OtherAddresses?) {
        self.init(
            name: target.name, instance: urlWithoutSecrets(url?.text ?? target.baseURL + target.testPath), host: url?.host ?? "",
            region: target.region, detectionBound: policy.detectionBound,
            lastGood: lastGood,
            otherAddresses: others?.tried.map {
                "\($0.text) \(others?.answering.contains($0) == true ? "answers" : "fails too")"
            } ?? [])
    }
}

extension DaemonMetrics.AlertingReading {
    init(_ counts: AlertingCounts) {
        self.init(
            sent: counts.sent, failed: counts.failed, queued: counts.queued, exceptions: counts.exceptions,
            setAside: counts.setAside)
    }
}

/// What Alerting reports goes to the log.
func report(_ event: AlertingEvent, logger: Logger) {
    switch event {
    case .channelFails(let channel, let why):
        logger.warning("\(channel) doesn't take alerts: \(displayText(why)); they are sent again")
    case .channelWorksAgain(let channel): logger.notice("\(channel) takes alerts again")
    case .told: break
    case .sentFromMemory:
        logger.warning("alerts are sent from memory, because the history can't be written: a restart may send them again")
    case .setAside(let message):
        logger.error(
            "\(message.channel) refused a message \(message.tries) times: \(displayText(message.reason)); it is set aside, and what is behind it goes on",
            metadata: ["message": "\(message.id)"])
    case .dropped(let count):
        logger.error(
            "\(counted(count, "message to webhooks is", "messages to webhooks are")) dropped: more than a thousand wait for one that doesn't take them"
        )
    }
}
