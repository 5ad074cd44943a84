/// Why a probe failed: a closed set, one word each, the same in the history, on `/metrics` and in alerts.
package enum Reason: String, Hashable, Sendable, CaseIterable {
    case dnsFailed = "dns_failed"
    case addressDenied = "address_denied"
    case connectRefused = "connect_refused"
    case connectTimeout = "connect_timeout"
    case connectReset = "connect_reset"
    case connectionClosed = "connection_closed"
    case networkUnreachable = "network_unreachable"
    case proxyFailed = "proxy_failed"
    case tlsHandshakeFailed = "tls_handshake_failed"
    case certificateExpired = "certificate_expired"
    case certificateNotYetValid = "certificate_not_yet_valid"
    case certificateUntrusted = "certificate_untrusted"
    case certificateNameMismatch = "certificate_name_mismatch"
    case timeout
    case protocolError = "protocol_error"
    case tooManyRedirects = "too_many_redirects"
    case redirectDenied = "redirect_denied"
    case bodyTooLarge = "body_too_large"
    case statusUnexpected = "status_unexpected"
    case bodyMismatch = "body_mismatch"
    case urlInvalid = "url_invalid"
    /// Our own trouble. Always void.
    case proberFault = "prober_fault"

    /// A bad record or our own policy rather than an outage: such a target is counted as `unprobeable` and its status is unknown.
    package var meansUnprobeable: Bool { self == .urlInvalid || self == .addressDenied }
}

/// Why an answer that was expected still isn't good.
package enum Cause: String, Hashable, Sendable, CaseIterable {
    case slow
    case certificateExpiring = "certificate_expiring"
    case addressFailing = "address_failing"
    case flapping
    case credentialsWanted = "credentials_wanted"
}

/// What a probe saw.
package enum Outcome: Hashable, Sendable {
    case good
    /// It answered as expected, but not well.
    case poor(Cause)
    case bad(Reason)

    package var reason: Reason? {
        if case .bad(let reason) = self { reason } else { nil }
    }
    package var cause: Cause? {
        if case .poor(let cause) = self { cause } else { nil }
    }
    package var isSuccess: Bool { reason == nil }
}

/// Why a result counts for nothing, whatever it saw.
package enum VoidCause: String, Hashable, Sendable, CaseIterable {
    /// It started later than `taint_after` past its due time.
    case tainted
    /// The target was changed or removed while the probe was in flight.
    case cancelled
    case proberFault = "prober_fault"
}
