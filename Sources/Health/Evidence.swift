/// What a target said in one probe, kept with its incident for whoever asks why. Foreign bytes: exact here, made safe where they are shown.
package struct Evidence: Hashable, Sendable {
    /// Which probe of an incident said it.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case firstBad = "first_bad"
        case lastBad = "last_bad"
        /// The last good probe before the incident. Its headers and its body are not kept.
        case lastGood = "last_good"
    }

    /// One of the addresses of the target's name.
    package struct Address: Hashable, Sendable {
        package enum State: String, Hashable, Sendable, CaseIterable {
            /// The probe went there, and got an answer.
            case answered
            /// The probe went there, and got none.
            case failed
            /// It was checked after the probe.
            case answers, answersNot = "answers_not"
            case notTried = "not_tried"
        }

        package var text: String
        package var state: State

        package init(text: String, state: State) { (self.text, self.state) = (text, state) }
    }

    package struct Certificate: Hashable, Sendable {
        /// In RFC 2253's form.
        package var subject: String
        package var issuer: String
        /// The hosts and addresses that it is for.
        package var names: [String]
        package var notBefore: Timestamp?
        package var notAfter: Timestamp?
        /// SHA-256 of its DER form in hexadecimal digits; empty where it isn't known.
        package var fingerprint: String

        package init(
            subject: String, issuer: String, names: [String], notBefore: Timestamp?, notAfter: Timestamp?, fingerprint: String
        ) {
            (self.subject, self.issuer, self.names) = (subject, issuer, names)
            (self.notBefore, self.notAfter, self.fingerprint) = (notBefore, notAfter, fingerprint)
        }
    }

    /// Bytes of headers, of a body, and of the texts of all addresses and certificates. Two of them, and what is kept of a good probe, are no
    /// more than 8 KiB.
    package static let headersMax = 1024
    package static let bodyMax = 2048
    package static let factsMax = 640

    /// When the probe started.
    package var at: Timestamp
    package var httpStatus: Int?
    /// The status line and the header lines of the last hop, each ended by a line feed. Secrets are replaced by `…`. nil without an answer, and
    /// where they are not kept.
    package var headers: String?
    /// The decoded body's beginning. Secrets are replaced. nil where it is not kept.
    package var body: [UInt8]?
    /// How many decoded bytes of body came.
    package var bodyBytes: Int?
    package var address: String?
    /// Of the name, as far as the lookup got.
    package var addresses: [Address]
    /// As the server of the last hop presented them.
    package var certificates: [Certificate]
    package var phases: Phases

    package init(
        at: Timestamp, httpStatus: Int? = nil, headers: String? = nil, body: [UInt8]? = nil, bodyBytes: Int? = nil,
        address: String? = nil, addresses: [Address] = [], certificates: [Certificate] = [], phases: Phases = Phases()
    ) {
        (self.at, self.httpStatus, self.headers, self.body, self.bodyBytes) = (at, httpStatus, headers, body, bodyBytes)
        (self.address, self.addresses, self.certificates, self.phases) = (address, addresses, certificates, phases)
    }

    /// The status line and the beginning of the body in two lines, for an alert; nil where there is neither.
    package var excerpt: String? {
        var lines = (headers?.split(separator: "\n").first).map { [displayText(String($0))] } ?? []
        if case .text(let text)? = bodyExcerpt { lines.append(displayText(text)) }
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }

    /// What the target said, without when it said it and how long it took. Of a header `Date`, too.
    package var words: Evidence {
        var words = self
        (words.at, words.phases) = (Timestamp(milliseconds: 0), Phases())
        words.headers = headers.map { text in
            text.split(separator: "\n").filter { !$0.lowercased().hasPrefix("date:") }.joined(separator: "\n")
        }
        return words
    }
}
