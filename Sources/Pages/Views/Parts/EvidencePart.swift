import Health

/// What a target said in one probe, for the partial `said`.
struct EvidencePart {
    private static let headerLinesMax = 40
    private let evidence: Evidence
    private let page: Timestamp

    init(_ evidence: Evidence, page: Timestamp) { (self.evidence, self.page) = (evidence, page) }

    var context: [String: Any] {
        var context: [String: Any] = [
            "hasAddresses": !evidence.addresses.isEmpty, "addresses": addresses,
            "hasCertificates": !evidence.certificates.isEmpty,
            "certificates": evidence.certificates.map { self.context($0) }, "at": ShownTime(evidence.at, page: page).context,
        ]
        let lines = (evidence.headers ?? "").split(separator: "\n").map { shownText(String($0), limit: displayTextLimit) }
        if let first = lines.first {
            context["statusLine"] = first
        } else if let status = evidence.httpStatus {
            context["statusLine"] = "HTTP \(status)"
        }
        if lines.count > 1 {
            let more = lines.count - 1 - Self.headerLinesMax
            context["headerLines"] =
                (lines[1...].prefix(Self.headerLinesMax) + (more > 0 ? ["… and \(more) more"] : [])).joined(separator: "\n")
        }
        if let excerpt { context["excerpt"] = excerpt }
        let isEmpty = context["statusLine"] == nil && context["excerpt"] == nil
        context["hasNothing"] = isEmpty && evidence.addresses.isEmpty && evidence.certificates.isEmpty
        return context
    }

    private var excerpt: [String: Any]? {
        guard let body = evidence.body, let excerpt = evidence.bodyExcerpt else {
            return evidence.bodyBytes == 0 ? ["title": "Body", "size": "", "text": "There was none."] : nil
        }
        let size =
            evidence.bodyBytes.map { $0 > body.count ? "\(body.count) of \(counted($0, "byte"))" : counted($0, "byte") } ?? ""
        switch excerpt {
        case .text(let text):
            // The excerpt is bounded already, and half of a line says little.
            let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            return [
                "title": "First bytes of the body", "size": size,
                "text": lines.map { shownText(String($0), limit: Evidence.bodyMax) }.joined(separator: "\n"),
            ]
        case .bytes(let line):
            let type = evidence.contentType.map { shownText($0) } ?? "of no type"
            return ["title": "First bytes of the body", "size": "\(size), \(type)", "text": line]
        }
    }

    private var addresses: [[String: Any]] {
        evidence.addresses.map { address in
            let (status, word): (Status, String) =
                switch address.state {
                case .answered: (.degraded, "the probe went there, and got this answer")
                case .failed where !evidence.certificates.isEmpty: (.down, "the probe went there, and TLS failed")
                case .failed: (.down, "the probe went there, and got no answer")
                case .answers: (.up, "answers")
                case .answersNot: (.down, "doesn't answer")
                case .notTried: (.unknown, "not tried")
                }
            return ["address": shownText(address.text), "status": status.rawValue, "word": word]
        }
    }

    private func context(_ certificate: Evidence.Certificate) -> [String: Any] {
        var context: [String: Any] = ["subject": shownText(certificate.subject), "issuer": shownText(certificate.issuer)]
        if !certificate.names.isEmpty {
            context["names"] = shownText(certificate.names.joined(separator: ", "), limit: displayTextLimit)
        }
        if let end = certificate.notAfter { context["until"] = ShownTime(dateOf: end).context }
        return context
    }
}

extension Waterfall {
    /// - Parameters:
    ///   - good: when the last good probe started.
    ///   - how: behind the name of the bars.
    func context(good: Timestamp?, how: String, page: Timestamp) -> [String: Any] {
        var context: [String: Any] = [
            "rows": rows.map { ["name": $0.name, "bar": $0.svg, "now": $0.now, "then": $0.then] }, "now": totals.now,
            "then": totals.then, "how": how,
        ]
        if let good { context["good"] = ShownTime(good, page: page).context }
        return context
    }
}
