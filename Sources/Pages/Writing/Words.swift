import Health

extension Reason {
    /// What it means, in the place of a sentence.
    var words: String {
        switch self {
        case .dnsFailed: "its name could not be looked up"
        case .addressDenied: "its address is not allowed by egress"
        case .connectRefused: "the connection was refused"
        case .connectTimeout: "no connection within the timeout"
        case .connectReset: "the connection was reset"
        case .connectionClosed: "the connection was closed without an answer"
        case .networkUnreachable: "there is no way to its network"
        case .proxyFailed: "the proxy did not open the way"
        case .tlsHandshakeFailed: "the TLS handshake failed"
        case .certificateExpired: "its certificate has expired"
        case .certificateNotYetValid: "its certificate is not valid yet"
        case .certificateUntrusted: "its certificate is not trusted"
        case .certificateNameMismatch: "its certificate is for another name"
        case .timeout: "no complete answer within the timeout"
        case .protocolError: "its answer breaks HTTP"
        case .tooManyRedirects: "it redirects too often"
        case .redirectDenied: "it redirects where the daemon may not go"
        case .bodyTooLarge: "its body is too large"
        case .statusUnexpected: "an unexpected HTTP status"
        case .bodyMismatch: "its body is not as expected"
        case .urlInvalid: "its URL can't be probed"
        case .proberFault: "the daemon's own trouble"
        }
    }
}

extension Cause {
    var words: String {
        switch self {
        case .slow: "it answers slowly"
        case .certificateExpiring: "its certificate expires soon"
        case .addressFailing: "one of its addresses fails"
        case .flapping: "it goes up and down"
        case .credentialsWanted: "it wants credentials"
        }
    }
}

extension SharedThing {
    /// Behind "share".
    var words: String {
        switch self {
        case .host(let host): "the host \(shownText(host))"
        case .certificate(let fingerprint): "a certificate (\(fingerprint.prefix(16))…)"
        case .block(let block): "the block \(block)"
        case .regionAndReason(let region, let reason): "the region \(shownText(region)) and the reason \(reason.rawValue)"
        case .region(let region): "the region \(shownText(region))"
        case .reason(let reason): "the reason \(reason.rawValue)"
        }
    }

    /// What that suggests.
    var sentence: String {
        switch self {
        case .host: "Look at this host first."
        case .certificate: "Look at this certificate first."
        case .block: "Their addresses are close to each other: look at the network or the machine that they have in common."
        case .regionAndReason(_, let reason), .reason(let reason): "Of each: \(reason.words)."
        case .region: "Look at the region first."
        }
    }

    /// The list of those who share it; nil where the list has no such filter.
    var link: String? {
        let query: String? =
            switch self {
            case .host(let host): "host=\(percentEncoded(host))"
            case .regionAndReason(let region, let reason): "region=\(percentEncoded(region))&reason=\(reason.rawValue)"
            case .region(let region): "region=\(percentEncoded(region))"
            case .reason(let reason): "reason=\(reason.rawValue)"
            case .certificate, .block: nil
            }
        return query.map { "/targets?status=down&\($0)" }
    }
}
