import Digests
package import Health

/// Whom to tell, and how.
package struct AlertingOptions: Sendable {
    package struct Webhook: Sendable {
        package var url: PolicyText
        /// Signs what is sent.
        package var secret: Secret?
        /// Names it in the database without its URL, which may be a secret.
        let id: String
        /// As the log calls it.
        let name: String

        /// - Parameter position: from 1, in the configuration.
        package init(url: PolicyText, secret: Secret?, position: Int) {
            (self.url, self.secret) = (url, secret)
            id = Hex.text(Digest(of: url.revealed).bytes.prefix(8))
            name = url.isSecret ? "webhook \(position)" : "webhook \(displayText(urlWithoutSecrets(url.revealed)))"
        }
    }

    package struct Heartbeat: Hashable, Sendable {
        package var url: Secret
        package var interval: Duration
        /// `POST` with the daemon's status, instead of `GET`.
        package var posts: Bool
        package init(url: Secret, interval: Duration, posts: Bool = false) {
            (self.url, self.interval, self.posts) = (url, interval, posts)
        }
    }

    package var vantage: String
    /// Base URLs, each once.
    package private(set) var alertmanagers: [String] = []
    package private(set) var webhooks: [Webhook] = []
    package var resendInterval: Duration = .seconds(60)
    package var groupWindow: Duration = .seconds(10)
    package var alertsDegraded = false
    /// Alerts have what the target said.
    package var tellsEvidence = false
    package var heartbeat: Heartbeat?
    /// The longest that a doubt about the vantage holds an alert.
    package var holdMax: Duration = .seconds(300)
    /// Where the daemon's own pages are.
    package var link: String

    /// - Parameter alertmanager: a base URL; whether it ends with a slash makes no difference.
    package mutating func add(alertmanager: String) {
        let url = alertmanager.hasSuffix("/") ? String(alertmanager.dropLast()) : alertmanager
        if !alertmanagers.contains(url) { alertmanagers.append(url) }
    }

    /// One that is there already hears everything once.
    package mutating func add(_ webhook: Webhook) {
        if !webhooks.contains(where: { $0.id == webhook.id }) { webhooks.append(webhook) }
    }

    package init(vantage: String, link: String) { (self.vantage, self.link) = (vantage, link) }
}
