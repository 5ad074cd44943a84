import Curl
package import Health

/// What a probe's last report amounts to: an outcome and the sentence that explains it.
struct Verdict {
    var outcome: Outcome
    var sentence: String

    init(outcome: Outcome, sentence: String) {
        self.outcome = outcome
        self.sentence = sentence
    }

    /// A complete answer, held against what was expected of it.
    ///
    /// - Parameters:
    ///   - mismatch: what ``BodyVerdict`` found of the body.
    ///   - expiring: of the chains that were verified on the way here, the certificate that expires first; nil for that of this answer.
    init(
        answer: TransferReport, order: ProbeOrder, duration: Duration, mismatch: BodyMismatch? = nil,
        expiring: ExpiringCertificate? = nil
    ) {
        let policy = order.policy
        let status = answer.status ?? 0
        guard policy.expects(status) else {
            let lacksLocation = Sentence.lacksLocation(answer, policy: policy)
            let besides = answer.bodyProblem?.kind == .broken ? "; besides, its body can't be decoded" : ""
            self.init(
                outcome: .bad(.statusUnexpected),
                sentence: Sentence.unexpected(status, policy: policy, lacksLocation: lacksLocation) + besides)
            return
        }
        if let problem = answer.bodyProblem, problem.kind == .broken {
            self.init(outcome: .bad(.protocolError), sentence: Sentence.broken(problem, status))
            return
        }
        if let mismatch {
            self.init(outcome: .bad(.bodyMismatch), sentence: "HTTP \(status), but \(mismatch.sentence)")
            return
        }
        if let poor = Self.expiring(expiring ?? answer.expiringCertificate, at: answer.startedAtMilliseconds, policy) {
            self = poor
            return
        }
        if let limit = policy.maxDuration, duration > limit {
            self.init(
                outcome: .poor(.slow),
                sentence: "HTTP \(status) after \(Sentence.exact(duration)); more than \(Sentence.exact(limit)) is slow")
            return
        }
        let lack = Sentence.lacksLocation(answer, policy: policy) ? "; it names no Location to go on to" : ""
        self.init(outcome: .good, sentence: "HTTP \(status) in \(Sentence.exact(duration))\(lack)")
    }

    /// nil when enough time is left.
    private static func expiring(_ certificate: ExpiringCertificate?, at milliseconds: Int64, _ policy: ProbePolicy) -> Verdict? {
        guard let certificate, let expiry = certificate.facts.expiry, policy.certificateDays > 0 else { return nil }
        let left = expiry - Timestamp(milliseconds: milliseconds)
        guard left < .seconds(policy.certificateDays * 86_400) else { return nil }
        let whose = certificate.earlierHop.map { " of \(displayText($0))" } ?? ""
        return Verdict(
            outcome: .poor(.certificateExpiring),
            sentence: "certificate\(whose) expires in \(Sentence.rough(left)) (\(Sentence.names(certificate.facts)))")
    }

    /// A failure at one address, beside what was found at the name's others.
    func weighed(_ others: OtherAddresses) -> Verdict {
        guard outcome.reason != nil else { return self }
        let list = { (addresses: [SocketAddress]) in addresses.map(\.text).joined(separator: ", ") }
        guard !others.answering.isEmpty else {
            return Verdict(
                outcome: outcome, sentence: "\(sentence); neither did its other addresses answer (\(list(others.tried)))")
        }
        return Verdict(
            outcome: .poor(.addressFailing),
            sentence: "\(sentence); of its other addresses these answer: \(list(others.answering))")
    }

    /// A transfer that ended without a complete answer.
    init(failure: TransferFailure, report: TransferReport, order: ProbeOrder, url: URLParts, isRedirect: Bool) {
        let reason = Reason(failure.code, isRedirect: isRedirect)
        let sentence = Sentence.failed(failure, reason, report: report, order: order, url: url, isRedirect: isRedirect)
        // What the server says of itself comes before what is wrong with how it says so.
        if let status = report.status, !order.policy.expects(status), report.failedInBodyAlone {
            self.init(
                outcome: .bad(.statusUnexpected),
                sentence: "\(Sentence.unexpected(status, policy: order.policy, lacksLocation: false)); besides, \(sentence)")
            return
        }
        self.init(outcome: .bad(reason), sentence: sentence)
    }
}

extension ProbePolicy {
    func expects(_ status: Int?) -> Bool { status.map { status in expectedStatuses.contains { $0.contains(status) } } ?? false }
}

extension Reason {
    /// Each way a transfer can fail is one reason; a redirect to where we may not go is a reason of its own.
    init(_ code: TransferFailure.Code, isRedirect: Bool) {
        self =
            switch code {
            case .urlMalformed: isRedirect ? .protocolError : .urlInvalid
            case .unsupportedScheme: isRedirect ? .redirectDenied : .urlInvalid
            case .lookupFailed, .lookupNeedsSearch, .lookupTimedOut, .noAddress: .dnsFailed
            case .addressDenied: isRedirect ? .redirectDenied : .addressDenied
            case .connectRefused: .connectRefused
            case .connectTimedOut: .connectTimeout
            case .connectReset: .connectReset
            case .networkUnreachable: .networkUnreachable
            case .connectionClosed: .connectionClosed
            case .proxyFailed: .proxyFailed
            case .tlsFailed, .tlsTimedOut: .tlsHandshakeFailed
            case .certificateExpired: .certificateExpired
            case .certificateNotYetValid: .certificateNotYetValid
            case .certificateUntrusted: .certificateUntrusted
            case .certificateNameMismatch: .certificateNameMismatch
            case .timedOut: .timeout
            case .protocolError: .protocolError
            case .bodyTooLarge: .bodyTooLarge
            case .caFileUnreadable, .clientCertificateUnusable, .localFault, .cancelled, .shutDown: .proberFault
            }
    }
}

extension CertificateFacts {
    package var expiry: Timestamp? { notAfterSeconds.map(Timestamp.init(seconds:)) }
    package var beginning: Timestamp? { notBeforeSeconds.map(Timestamp.init(seconds:)) }
}

/// The certificate that expires first of those that verification took: one that a server sends beside them says nothing of it.
struct ExpiringCertificate {
    var facts: CertificateFacts
    /// The host that showed it, where a redirect led away from there.
    var earlierHop: String?
}

extension TransferReport {
    var expiringCertificate: ExpiringCertificate? { verifiedChain.firstToExpire.map { ExpiringCertificate(facts: $0) } }
}

extension [CertificateFacts] {
    var firstToExpire: CertificateFacts? {
        filter { $0.notAfterSeconds != nil }.min { ($0.notAfterSeconds ?? 0) < ($1.notAfterSeconds ?? 0) }
    }
}

extension Timestamp {
    /// A certificate may name the year 9999 or worse: saturates instead of trapping.
    init(seconds: Int64) {
        let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        self.init(milliseconds: overflow ? (seconds < 0 ? .min : .max) : milliseconds)
    }
}
