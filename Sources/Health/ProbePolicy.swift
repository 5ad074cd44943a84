/// How a target is probed: the keys under `probe:` of the configuration, with their defaults.
package struct ProbePolicy: Hashable, Sendable {
    package enum Connection: String, Hashable, Sendable, CaseIterable { case fresh, reuse }
    package enum HTTPVersion: String, Hashable, Sendable, CaseIterable {
        case auto
        case http1 = "1.1"
        case http2 = "2"
    }
    /// How a test path is joined to a base URL.
    package enum PathJoin: String, Hashable, Sendable, CaseIterable {
        /// Reference resolution, RFC 3986 section 5.
        case resolve
        case append
    }
    package enum DNSCache: Hashable, Sendable {
        case atMost(Duration)
        /// The time to live of the answer, from 1 to 60 seconds.
        case auto
    }
    package enum AddressFamily: String, Hashable, Sendable, CaseIterable { case any, v4, v6 }

    /// An HTTP proxy that is asked to CONNECT.
    package struct ProxyAddress: Hashable, Sendable {
        /// A name, or an address without brackets.
        package var host: String
        package var port: Int
        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// What is kept of a failing answer, for the incident.
    package struct EvidenceKept: Hashable, Sendable {
        /// Decoded bytes of the body; 0 keeps none.
        package var bodyBytes = 512
        package var keepsHeaders = true
        package init() {}
    }

    package struct Header: Hashable, Sendable {
        package var name: String
        package var value: PolicyText
        package init(name: String, value: PolicyText) {
            self.name = name
            self.value = value
        }
    }

    package var isEnabled = true
    /// Why what this target wants can't be known here, such as a secret whose file is gone. It isn't probed then: its results are void.
    package var fault: String?
    package var interval: Duration = .seconds(30)
    /// The interval while a target is between two statuses.
    package var fastInterval: Duration = .seconds(5)
    package var timeout: Duration = .seconds(10)
    /// So many bad results in a row make a target `down`.
    package var fall = 3
    /// So many good results in a row bring it back.
    package var rise = 2
    package var method = "GET"
    package var headers: [Header] = []
    package var body: PolicyText?
    package var userAgent: String
    package var expectedStatuses: [ClosedRange<Int>] = [200...399]
    /// A PCRE2 pattern that the decoded body must match somewhere in its first 256 KiB.
    package var bodyMatches: String?
    package var bodyJSON: BodyJSON?
    /// Slower is poor, cause `slow`.
    package var maxDuration: Duration?
    /// Fewer days left on the certificate is poor, cause `certificate_expiring`.
    package var certificateDays = 14
    package var connection = Connection.fresh
    package var httpVersion = HTTPVersion.auto
    package var followRedirects = 5
    /// Bytes, decoded and on the wire alike.
    package var maxBody = 1 << 20
    package var pathJoin = PathJoin.resolve
    package var addressFamily = AddressFamily.any
    /// How long a good lookup is reused; a failed one never is.
    package var dnsCache = DNSCache.atMost(.zero)
    /// Whether a name that has a dot is also looked up with the resolver's search domains behind it.
    package var dnsSearch = false
    /// A PEM bundle instead of the system's.
    package var caFile: String?
    /// Whether a certificate that isn't trusted, has expired or is of another name is a failure. It is reported either way.
    package var verifiesCertificates = true
    package var clientCertificate: ClientCertificate?
    package var proxy: ProxyAddress?
    /// A result whose probe started later than this past its due time counts for nothing.
    package var taintAfter: Duration = .seconds(1)

    package var evidence = EvidenceKept()

    package var readsBody: Bool { bodyMatches != nil || bodyJSON != nil }

    package init(userAgent: String = "rangefinder") { self.userAgent = userAgent }

    package var effectiveFastInterval: Duration { min(fastInterval, interval) }
    package var effectiveTimeout: Duration { min(timeout, interval) }

    /// The longest time from when every probe that starts fails to the first byte of the alert's request, apart from the exceptions
    /// that are counted in `rangefinder_detection_exceptions_total`:
    /// I + (n−1) × max(F, T) + T + n × taint + commit, without a webhook's grouping window.
    package var detectionBound: Duration {
        interval + max(effectiveFastInterval, effectiveTimeout) * (fall - 1) + effectiveTimeout + taintAfter * fall
            + .milliseconds(500)
    }
}
