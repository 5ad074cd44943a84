internal import Health

/// Why an operation of the API came to nothing.
package struct APIError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The raw value is the `reason` of `rangefinder_sync_failures_total`.
    package enum Code: String, Hashable, Sendable, CaseIterable {
        case dnsFailed = "dns_failed"
        case connectFailed = "connect_failed"
        case tlsFailed = "tls_failed"
        case timeout
        /// The body went past `max_list`.
        case tooLarge = "too_large"
        /// The address is none, or a token may not be sent there.
        case addressUnusable = "address_unusable"
        case transportFailed = "transport_failed"
        /// We stopped it ourselves.
        case cancelled
        /// The token is empty, or no header can carry it.
        case tokenUnusable = "token_unusable"
        /// 401 or 403.
        case unauthorized
        /// Any other status but 200.
        case httpStatus = "http_status"
        case emptyBody = "empty_body"
        /// HTML, a truncated body, one that can't be decoded, or something else that is no JSON.
        case notJSON = "not_json"
        /// JSON, but not the document's.
        case malformed
        /// Of a list that is read from a file: the file can't be read, or has a mistake.
        case fileUnusable = "file_unusable"
    }

    package let code: Code
    /// The status of the answer, when there was one.
    package let httpStatus: Int?
    /// One sentence for people, foreign text in it made safe, without the token.
    package let explanation: String
    /// How long the API wants to be left alone; nil when it doesn't say.
    package let retryAfter: Duration?

    package init(_ code: Code, httpStatus: Int? = nil, retryAfter: Duration? = nil, _ explanation: String) {
        self.code = code
        self.httpStatus = httpStatus
        self.explanation = explanation
        self.retryAfter = retryAfter
    }

    /// Whether what was asked for may have been done all the same: it was sent, and no answer says that it wasn't. A gateway that answers
    /// 502 to 504 knows as little.
    package var mayHaveBeenDone: Bool {
        switch code {
        case .dnsFailed, .connectFailed, .tlsFailed, .tokenUnusable, .addressUnusable, .unauthorized, .fileUnusable: false
        case .httpStatus: !(300..<500).contains(httpStatus ?? 500)
        case .timeout, .tooLarge, .transportFailed, .cancelled, .emptyBody, .notJSON, .malformed: true
        }
    }

    package var reasonLabel: String { code.rawValue }
    /// All that there are.
    package static var reasonLabels: [String] { Code.allCases.map(\.rawValue) }
    package var description: String { explanation }
}

extension APIError {
    init(_ error: TransportError, maxBody: Int, redactor: Redactor) {
        let detail = redactor.shown(error.detail)
        switch error.kind {
        case .dns: self.init(.dnsFailed, "The Targets API's name could not be resolved: \(detail)")
        case .connect: self.init(.connectFailed, "The Targets API could not be reached: \(detail)")
        case .tls: self.init(.tlsFailed, "TLS with the Targets API failed: \(detail)")
        case .timeout: self.init(.timeout, "The Targets API did not answer in time: \(detail)")
        case .tooLarge: self.init(.tooLarge, Self.tooLargeText(maxBody))
        case .cancelled: self.init(.cancelled, "The request to the Targets API was cancelled.")
        case .unusable: self.init(.addressUnusable, "The Targets API can't be asked: \(detail)")
        case .other: self.init(.transportFailed, "The request to the Targets API failed: \(detail)")
        }
    }

    static func tooLargeText(_ maxBody: Int) -> String { "The Targets API's answer is longer than \(maxBody) bytes." }

    init(_ problem: DocumentProblem, in response: APIResponse, redactor: Redactor) {
        switch problem {
        case .notJSON where response.isHTML:
            self.init(.notJSON, httpStatus: response.status, "The Targets API answered with an HTML page instead of JSON.")
        case .notJSON:
            self.init(
                .notJSON, httpStatus: response.status,
                "The Targets API's answer (\(counted(response.body.count, "byte"))) is not JSON, or was cut short.")
        case .malformed(let how):
            self.init(
                .malformed, httpStatus: response.status, "The Targets API's answer has an unknown shape: \(redactor.shown(how)).")
        case .field(let problem):
            self.init(.malformed, httpStatus: response.status, "The Targets API's answer can't be used: \(problem).")
        }
    }

    init(undecoded codings: String, _ status: Int, redactor: Redactor) {
        self.init(
            .notJSON, httpStatus: status,
            "The Targets API's answer can't be decoded: its Content-Encoding is \(redactor.shown(codings)), "
                + "and only gzip or deflate, once, was asked for.")
    }

    /// Of a list that has records, none of which can be read: it would empty the list that is known.
    init(unreadable list: TargetList, redactor: Redactor) {
        let first = list.rejected.first.map { "; the first: \(redactor.shown($0.description))" } ?? ""
        let count = list.rejected.count
        self.init(
            .malformed,
            count == 1
                ? "The only record of the Targets API's list can't be read\(first)"
                : "None of the \(count) records of the Targets API's list can be read\(first)")
    }

    /// Of an answer whose status is not 200.
    init(refusal response: APIResponse, redactor: Redactor) {
        let code: Code = response.status == 401 || response.status == 403 ? .unauthorized : .httpStatus
        let said: String
        if (300..<400).contains(response.status) {
            said = "which sends elsewhere, and a token doesn't follow"
        } else if let codings = response.undecoded {
            said = "with a body that can't be decoded (\(redactor.shown(codings)))"
        } else if response.body.isEmpty {
            said = "with an empty body"
        } else if response.isHTML {
            said = "with an HTML page"
        } else if let document = try? decodeJSON(MessageDocument.self, from: response.body) {
            said = "and said: " + redactor.shown(document.message)
        } else {
            said = "and said: " + redactor.shown(response.body)
        }
        self.init(
            code, httpStatus: response.status, retryAfter: response.retryAfter,
            "The Targets API answered \(response.status) \(said)")
    }
}

private struct MessageDocument: Decodable {
    let message: String
}

extension APIResponse {
    fileprivate var isHTML: Bool {
        if let contentType, contentType.lowercased().hasPrefix("text/html") { return true }
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        return body.first { !blanks.contains($0) } == UInt8(ascii: "<")
    }
}

/// Makes foreign text fit to be shown, and takes the token out of it: a server may echo what it was sent.
struct Redactor {
    private static let byteLimit = 2048
    let token: Secret

    func shown(_ text: String) -> String { shown(text.utf8) }

    func shown(_ bytes: some Collection<UInt8>) -> String {
        let token = token.reveal()
        guard !token.isEmpty else {
            return displayText(String(decoding: bytes.prefix(Self.byteLimit), as: UTF8.self), limit: Self.byteLimit)
        }
        let length = token.utf8.count
        let cut = bytes.prefix(Self.byteLimit + length)
        var text = Self.replacing(token, in: String(decoding: cut, as: UTF8.self))
        // The cut may have gone through a token; what is left of one is not recognised above.
        if bytes.count > cut.count { text.removeLast(min(length, text.count)) }
        return displayText(text, limit: Self.byteLimit)
    }

    /// So long a text isn't part of a word by chance: within one it is the token all the same.
    private static let tokenLengthMin = 8

    /// Never cuts into a word: one that only contains a short token stays as it is, and one that contains a long token goes as a whole.
    private static func replacing(_ token: String, in text: String) -> String {
        let isWord = { (character: Character) in character.isLetter || character.isNumber || character == "_" }
        var (shown, rest) = ("", text[...])
        while let found = rest.firstRange(of: token) {
            var (start, end) = (found.lowerBound, found.upperBound)
            if let first = token.first, isWord(first) {
                while start > rest.startIndex, isWord(rest[rest.index(before: start)]) { start = rest.index(before: start) }
            }
            if let last = token.last, isWord(last) {
                while end < rest.endIndex, isWord(rest[end]) { end = rest.index(after: end) }
            }
            let isAlone = start == found.lowerBound && end == found.upperBound
            shown += rest[..<start] + (isAlone || token.utf8.count >= tokenLengthMin ? "[secret]" : rest[start..<end])
            rest = rest[end...]
        }
        return shown + rest
    }
}
