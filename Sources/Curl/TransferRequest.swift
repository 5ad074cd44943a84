internal import CCurl

/// One HTTP request and the bounds of its answer.
package struct TransferRequest: Sendable {
    package enum Family: Hashable, Sendable { case any, v4, v6 }
    package enum Connection: Hashable, Sendable { case fresh, reuse }
    package enum HTTPVersion: Hashable, Sendable {
        /// HTTP/2 where TLS negotiates it, else 1.1.
        case auto
        case http1
        /// As `auto` over TLS; without TLS, HTTP/2 with prior knowledge.
        case http2
    }

    /// What a trace is told of.
    package enum Traced: Hashable, Sendable {
        /// Header lines, the request's line or the status line among them.
        case sentHead, receivedHead
        case sentBody, receivedBody
        /// libcurl's own words.
        case note

        init?(_ kind: curl_infotype) {
            switch kind {
            case CURLINFO_TEXT: self = .note
            case CURLINFO_HEADER_IN: self = .receivedHead
            case CURLINFO_HEADER_OUT: self = .sentHead
            case CURLINFO_DATA_IN: self = .receivedBody
            case CURLINFO_DATA_OUT: self = .sentBody
            default: return nil
            }
        }
    }

    package var url: URLParts
    package var method: String
    /// Sent as they are; a control character in one makes the transfer a `localFault`. An empty value is sent as an empty header.
    package var headers: [(name: String, value: String)] = []
    /// The value of a header `Cookie` besides those, byte for byte: a server's own bytes, which need be no text.
    package var cookie: [UInt8]?
    /// Nothing is sent with HEAD. No `Content-Type` is added, and no `Expect: 100-continue`.
    package var body: [UInt8]?
    /// nil: the engine's.
    package var userAgent: String?
    /// The whole transfer, the lookup included.
    package var timeout: Duration
    package var family = Family.any
    /// Which of the allowed addresses, in ascending order: `pin % count`. One more each time goes round them all.
    package var pin: UInt64 = 0
    /// An address to connect to, whatever the name has: nothing is looked up then, and the egress rule is asked all the same.
    package var onlyAddress: SocketAddress?
    /// A Unix socket to connect to instead of the URL's host; nothing is looked up then, and the egress rule isn't asked.
    package var unixSocket: String?
    /// An HTTP proxy that is asked to CONNECT to the address; its own is looked up, too, and the egress rule is not asked for it.
    package var proxy: (host: String, port: Int)?
    /// The egress rule, asked on the engine's thread for each resolved address and again for each socket: pure and quick, please.
    package var allows: (@Sendable (SocketAddress) -> Bool)?
    package var connection = Connection.fresh
    package var httpVersion = HTTPVersion.auto
    /// A PEM bundle; nil: the system's. A change of the file is seen after a second; with `reuse` after a minute.
    package var caFile: String?
    /// A chain that isn't trusted, or is of another name, ends the transfer. Without it the certificates are reported all the same.
    package var verifiesCertificates = true
    /// PEM: shown to a server that asks for a certificate.
    package var clientCertificate: (chain: String, key: String)?
    /// Bytes of body, decoded and on the wire: past either the transfer ends with `bodyTooLarge` while it streams in.
    package var maxBody = 1 << 20
    /// How many decoded bytes go into the report.
    package var keepBody = 0
    package var keepHeaders = false
    /// How many bytes of the final answer's status line and header lines go into the report as they came.
    package var keepHead = 0
    /// How old a good answer to a lookup may be; a failed one is never reused.
    package var dnsCache = LookupReuse.never
    /// Whether a name that has a dot is also looked up with the resolver's search domains behind it, as the system does. One without a dot
    /// always is.
    package var usesSearchDomains = true

    /// Gets what goes over the wire, secrets included, on the engine's thread. For a person who looks on; nil: nobody does.
    package var trace: (@Sendable (Traced, _ bytes: [UInt8]) -> Void)?

    package init(url: URLParts, method: String = "GET", timeout: Duration = .seconds(10)) {
        self.url = url
        self.method = method
        self.timeout = timeout
    }
}
