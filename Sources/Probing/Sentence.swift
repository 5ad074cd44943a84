import Curl
import Health

/// The sentences that say to a person on call what happened and what to try. Foreign text in them is escaped and cut.
enum Sentence {
    static func unexpected(_ status: Int, policy: ProbePolicy, lacksLocation: Bool = false) -> String {
        let expected = policy.expectedStatuses.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ", ")
        switch status {
        case 401, 403:
            return "HTTP \(status): it answers, but wants credentials; set headers or expect \(status)"
        case _ where lacksLocation:
            return "HTTP \(status): a redirect that names no Location to go on to, but \(expected) was expected"
        case 301, 302, 303, 307, 308:
            return "HTTP \(status): a redirect that was not followed, but \(expected) was expected"
        default:
            return "HTTP \(status), but \(expected) was expected"
        }
    }

    /// A redirect that would be followed if it said where to.
    static func lacksLocation(_ answer: TransferReport, policy: ProbePolicy) -> Bool {
        RedirectWalk.redirects.contains(answer.status ?? 0) && answer.redirectTarget == nil && policy.followRedirects > 0
    }

    static func broken(_ problem: BodyProblem, _ status: Int) -> String {
        "HTTP \(status), but the body can't be decoded: its Content-Encoding says \(displayText(problem.codings)), and it is not"
    }

    static func timeout(_ policy: ProbePolicy, during part: String) -> String {
        "no complete answer within \(exact(policy.effectiveTimeout)); it ended while \(part)"
    }

    static func failed(
        _ failure: TransferFailure, _ reason: Reason, report: TransferReport, order: ProbeOrder, url: URLParts, isRedirect: Bool
    ) -> String {
        let host = displayText(url.host)
        let address = report.address.map(\.text).flatMap { $0 == url.host ? nil : " (\($0))" } ?? ""
        let endpoint = "\(host)\(address), port \(url.port)"
        let detail = failure.detail.isEmpty ? "" : ": \(displayText(failure.detail))"
        switch reason {
        case .dnsFailed: return lookup(failure, host, order.policy, detail)
        case .addressDenied, .redirectDenied: return denied(report, order, host, isRedirect)
        case .connectRefused: return "\(endpoint) refused the connection: nothing listens there"
        case .connectTimeout: return "\(endpoint) did not accept a connection within \(exact(order.policy.effectiveTimeout))"
        case .connectReset: return "\(endpoint) reset the connection"
        case .connectionClosed: return "\(endpoint) closed the connection without an answer"
        case .networkUnreachable: return "no route to \(endpoint)\(detail)"
        case .certificateExpired, .certificateNotYetValid, .certificateUntrusted, .certificateNameMismatch:
            return TLSSentence.certificate(failure, report, host, detail)
        case .tlsHandshakeFailed:
            return failure.code == .tlsTimedOut
                ? "\(endpoint) did not finish the TLS handshake within \(exact(order.policy.effectiveTimeout))"
                : TLSSentence.handshake(
                    failure, endpoint, detail, hasClientCertificate: order.policy.clientCertificate != nil)
        case .timeout:
            return timeout(order.policy, during: report.transfer == nil ? "waiting for the answer" : "reading the answer")
        case .protocolError: return "\(endpoint) does not speak HTTP as it should\(detail)"
        case .bodyTooLarge: return "the body is larger than max_body (\(counted(order.policy.maxBody, "byte")))"
        case .urlInvalid: return "the URL can't be used\(detail)"
        case .proberFault: return "our own trouble, not the target's\(detail)"
        case .proxyFailed:
            let proxy = order.policy.proxy.map { "\(displayText($0.host)), port \($0.port)," } ?? ""
            return "the proxy \(proxy) did not let us through to \(endpoint)\(detail); nothing is known of the target"
        case .tooManyRedirects, .statusUnexpected, .bodyMismatch: return reason.rawValue + detail
        }
    }

    private static func lookup(_ failure: TransferFailure, _ host: String, _ policy: ProbePolicy, _ detail: String) -> String {
        switch failure.code {
        case .lookupTimedOut: "the lookup of \(host) did not end within \(exact(policy.effectiveTimeout))"
        case .noAddress where policy.addressFamily == .any: "\(host) can be looked up, but has no address"
        case .noAddress: "\(host) has no address of the family that `ip: \(policy.addressFamily.rawValue)` asks for"
        case .lookupNeedsSearch:
            "\(host) can't be looked up: it has no address; with a search domain of resolv.conf behind it, it has: if that is meant, "
                + "set probe.dns_search: true"
        default: "\(host) can't be looked up\(detail)"
        }
    }

    private static func denied(_ report: TransferReport, _ order: ProbeOrder, _ host: String, _ isRedirect: Bool) -> String {
        let denials = report.resolved.compactMap { address in
            IPAddress(bytes: address.bytes).flatMap { ip in order.egress.denial(of: ip).map { (ip, $0) } }
        }
        let lead = isRedirect ? "redirected to \(host), " : "\(host) "
        guard let (address, denial) = denials.first else { return lead + "may not be connected to (egress)" }
        let what = "\(address)" == host ? "which" : "is \(address), which"
        return lead + "\(what) egress denies (\(denial)); to probe it, add \(address) to egress.allow"
    }

    static func names(_ certificate: CertificateFacts) -> String {
        "\(displayText(certificate.subject)), issuer \(displayText(certificate.issuer))"
    }

    /// As in `3 h`, for what nobody needs to the second.
    static func rough(_ duration: Duration) -> String {
        let seconds = max(0, duration.wholeMilliseconds / 1000)
        switch seconds {
        case 0: return "less than 1 s"
        case ..<120: return "\(seconds) s"
        case ..<7200: return "\(seconds / 60) min"
        case ..<172_800: return "\(seconds / 3600) h"
        default: return "\(seconds / 86_400) days"
        }
    }

    /// As in `0.4 ms`, `143 ms` or `10 s`.
    static func exact(_ duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        if duration < .milliseconds(10) { return millisecondWords(duration) }
        if milliseconds < 1000 { return "\(milliseconds) ms" }
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    }
}
