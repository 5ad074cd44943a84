package import Health

/// One probe, as `rangefinder probe` shows it.
package struct ProbeView: Hashable, Sendable {
    /// A request and what came of it.
    package struct Hop: Hashable, Sendable {
        package var url: String
        package var status: Int?

        package init(url: String, status: Int?) {
            self.url = url
            self.status = status
        }
    }

    /// What a certificate says of itself: a stranger's words.
    package struct Certificate: Hashable, Sendable {
        package var subject: String
        package var issuer: String
        package var names: [String]
        package var beginning: Timestamp?
        package var expiry: Timestamp?

        package init(subject: String, issuer: String, names: [String], beginning: Timestamp?, expiry: Timestamp?) {
            self.subject = subject
            self.issuer = issuer
            self.names = names
            self.beginning = beginning
            self.expiry = expiry
        }
    }

    package var method: String
    /// What was asked for first.
    package var url: String
    package var result: ProbeResult
    package var hops: [Hop]
    /// Of the last hop, the leaf first.
    package var certificates: [Certificate]

    package init(method: String, url: String, result: ProbeResult, hops: [Hop] = [], certificates: [Certificate] = []) {
        self.method = method
        self.url = url
        self.result = result
        self.hops = hops
        self.certificates = certificates
    }
}
