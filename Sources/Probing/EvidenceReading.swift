import Curl
import Health

/// What is kept of a failing answer: read from the last hop's report, bounded, and without secrets.
struct EvidenceReading {
    /// Header fields whose values are secrets of a visitor or of ours (RFC 6265, RFC 9110 section 11).
    private static let secretFields: Set<String> = [
        "set-cookie", "set-cookie2", "cookie", "authorization", "proxy-authorization", "authentication-info",
        "proxy-authentication-info",
    ]
    /// What fields of many servers end in that have a secret.
    private static let secretEndings = [
        "-token", "-secret", "-key", "-signature", "-password", "-auth", "-session", "-session-id", "-credential", "-credentials",
    ]
    /// Fields whose value is a URL from its beginning (RFC 9110 sections 8.7 and 10.2.2).
    private static let urlFields: Set<String> = ["location", "content-location"]
    /// Fields that ask for credentials: behind the scheme there may be some (RFC 9110 section 11.6.1, RFC 4559).
    private static let challengeFields: Set<String> = ["www-authenticate", "proxy-authenticate"]
    /// A character may be cut in three.
    private static let characterRest = 3

    private let policy: ProbePolicy
    private let others: [String]
    let redaction: Redaction

    /// - Parameters:
    ///   - urls: of all hops.
    ///   - cookies: the values that were set on the way.
    init(_ policy: ProbePolicy, urls: [URLParts], cookies: [String]) {
        self.policy = policy
        let body = [policy.body].compactMap(\.self).filter(\.isSecret).map(\.revealed)
        others = body + urls.flatMap { Self.queryValues($0.text) } + cookies
        redaction = Redaction(Self.credentials(of: policy), besides: others)
    }

    /// Also without what stands in these heads: servers say it again in the body.
    func redaction(besides head: [UInt8]) -> Redaction {
        let own = head.split(separator: UInt8(ascii: "\n")).flatMap { Self.secrets(ofField: String(decoding: $0, as: UTF8.self)) }
        return own.isEmpty ? redaction : Redaction(Self.credentials(of: policy), besides: own + others)
    }

    private static func secrets(ofField line: String) -> [String] {
        guard let colon = line.firstIndex(of: ":") else { return [] }
        let name = line[..<colon].lowercased()
        let value = line[line.index(after: colon)...].filter { !$0.isNewline }
        switch name {
        case "location", "content-location": return queryValues(value)
        case "set-cookie", "cookie":
            let pairs = name == "cookie" ? value.split(separator: ";") : [value.prefix { $0 != ";" }]
            return pairs.compactMap { $0.split(separator: "=", maxSplits: 1).dropFirst().first.map(String.init) }
        default: return isSecret(name) ? [String(value.drop { $0 == " " })] : []
        }
    }

    // MARK: What the transfer has to keep for it

    static func headBytesToKeep(_ policy: ProbePolicy) -> Int {
        // Without headers the head still says what is to be taken out of the body.
        policy.evidence.keepsHeaders || policy.evidence.bodyBytes > 0 ? Evidence.headersMax + characterRest : 0
    }

    static func bodyBytesToKeep(_ policy: ProbePolicy) -> Int { policy.evidence.bodyBytes }

    /// Those of the file, and those that stand there as plain text but are secrets to the server.
    private static func credentials(of policy: ProbePolicy) -> [String] {
        policy.headers.filter { $0.value.isSecret || isSecret($0.name) }.map(\.value.revealed)
    }

    /// As they stand there, and as a server reads them; those of a fragment, too.
    private static func queryValues(_ url: String) -> [String] {
        guard let mark = url.firstIndex(where: { $0 == "?" || $0 == "#" }) else { return [] }
        return url[url.index(after: mark)...].split { "&#".contains($0) }
            .flatMap { $0.split(separator: "=", maxSplits: 1).suffix(1).map(String.init) }
            .flatMap { [$0] + [percentDecoded($0), percentDecoded($0.replacing("+", with: " "))].compactMap(\.self) }
    }

    /// By its name, in any case.
    static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        return secretFields.contains(name) || secretEndings.contains { name.hasSuffix($0) }
    }

    func evidence(of report: TransferReport, at startedAt: Timestamp, _ others: OtherAddresses?, _ phases: Phases) -> Evidence {
        // Of a body in a coding that isn't decoded nothing is known.
        let knowsBody = report.status != nil && report.bodyProblem == nil
        return Evidence(
            at: startedAt, httpStatus: report.status,
            headers: policy.evidence.keepsHeaders && report.status != nil ? headers(report.head) : nil,
            body: policy.evidence.bodyBytes > 0 && knowsBody ? body(report) : nil,
            bodyBytes: knowsBody ? report.bodyLength : nil, address: report.address?.text,
            addresses: addresses(of: report, others), certificates: certificates(report.certificates), phases: phases)
    }

    // MARK: What the server said

    func headers(_ head: [UInt8]) -> String {
        let isCut = head.count > Evidence.headersMax
        var fields: [[UInt8]] = []
        // A line that goes on (RFC 9112 section 5.2) belongs to the field before it.
        for line in head.split(separator: UInt8(ascii: "\n")) {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            guard let first = line.first else { continue }
            let goesOn = first == UInt8(ascii: " ") || first == UInt8(ascii: "\t")
            if goesOn, !fields.isEmpty { fields[fields.count - 1] += line } else { fields.append(Array(line)) }
        }
        let lines = fields.enumerated().map { $0 == 0 ? text($1) : field($1) }
        return cut(lines.map { $0 + "\n" }.joined(), to: isCut ? Evidence.headersMax - 1 : Evidence.headersMax)
    }

    private func field(_ line: [UInt8]) -> String {
        // A secret may stand in the name, or go on behind the colon.
        let line = redaction.cleaned(line)
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return text(line) }
        let name = String(decoding: line[..<colon], as: UTF8.self)
        let trimmed = String(name.drop { $0 == " " }.prefix { $0 != " " && $0 != "\t" })
        if Self.isSecret(trimmed) { return "\(trimmed): …" }
        let value = text(Array(line[line.index(after: colon)...].drop { $0 == UInt8(ascii: " ") }))
        if Self.urlFields.contains(trimmed.lowercased()) { return "\(name): \(urlWithoutSecrets(value))" }
        if Self.challengeFields.contains(trimmed.lowercased()) { return "\(name): \(Self.challenge(value))" }
        return "\(name): \(Self.withoutSecretsOfURLs(value))"
    }

    /// A URL of another place has its own secrets. A comma and a semicolon may be parts of its query.
    private static func withoutSecretsOfURLs(_ value: String) -> String {
        let parts = value.split(omittingEmptySubsequences: false) { " <>\"'".contains($0) }
        return parts.reduce(value) { text, part in
            let isURL = part.contains("://") || part.contains("?") && part.contains("=")
            return isURL ? text.replacing(part, with: urlWithoutSecrets(String(part))) : text
        }
    }

    /// The scheme, whom it is for, and what was wrong.
    private static func challenge(_ value: String) -> String {
        let scheme = value.prefix { $0 != " " }
        let told = value.matches(of: /(?i)\b(?:realm|error|error_description|scope|charset)="[^"]*"/).map { String($0.0) }
        let shown = told.isEmpty ? String(scheme) : scheme + " " + told.joined(separator: ", ")
        return shown.count < value.count ? shown + " …" : shown
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: wholeCharacters(redaction.cleaned(bytes)), as: UTF8.self) }

    /// Without the beginning of a character whose rest was cut off.
    private func wholeCharacters(_ bytes: [UInt8]) -> [UInt8] {
        guard let last = bytes.lastIndex(where: { $0 & 0xC0 != 0x80 }), bytes[last] >= 0xC0 else { return bytes }
        let length = bytes[last] >= 0xF0 ? 4 : bytes[last] >= 0xE0 ? 3 : 2
        return bytes.count - last < length ? Array(bytes[..<last]) : bytes
    }

    private func body(_ report: TransferReport) -> [UInt8] {
        let cleaned = redaction(besides: report.head).cleaned(Array(report.body.prefix(policy.evidence.bodyBytes)))
        return Array(cleaned.prefix(policy.evidence.bodyBytes))
    }

    // MARK: Where it was said

    /// The one that was probed first: there may be more than there is room for.
    private func addresses(of report: TransferReport, _ others: OtherAddresses?) -> [Evidence.Address] {
        var left = Evidence.factsMax / 2
        var found: [Evidence.Address] = []
        let probed = report.address.map { [$0] } ?? []
        for address in probed + report.resolved.filter({ $0 != report.address }) {
            let state: Evidence.Address.State =
                if address == report.address {
                    report.status == nil ? .failed : .answered
                } else if others?.answering.contains(address) == true {
                    .answers
                } else if others?.tried.contains(address) == true { .answersNot } else { .notTried }
            // With what JSON puts around it.
            left -= address.text.utf8.count + 40
            guard left >= 0 || found.isEmpty else { break }
            found.append(.init(text: address.text, state: state))
        }
        return found
    }

    private func certificates(_ facts: [CertificateFacts]) -> [Evidence.Certificate] {
        var left = Evidence.factsMax
        var found: [Evidence.Certificate] = []
        for one in facts {
            let certificate = Evidence.Certificate(
                subject: cut(one.subject, to: 128), issuer: cut(one.issuer, to: 128),
                names: one.names.prefix(4).map { cut($0.text, to: 64) }
                    + (one.names.count > 4 ? ["… and \(one.names.count - 4) more"] : []),
                notBefore: one.notBeforeSeconds.map(Timestamp.init(seconds:)),
                notAfter: one.notAfterSeconds.map(Timestamp.init(seconds:)), fingerprint: Hex.text(one.fingerprint))
            left -=
                certificate.subject.utf8.count + certificate.issuer.utf8.count + 180
                + certificate.names.reduce(0) { $0 + $1.utf8.count + 4 }
            guard left >= 0 || found.isEmpty else { break }
            found.append(certificate)
        }
        return found
    }

    /// At a character's end, with a sign that there was more.
    private func cut(_ text: String, to bytesMax: Int) -> String {
        guard text.utf8.count > bytesMax else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: bytesMax - Redaction.replacement.count)
        while end > text.startIndex, end.samePosition(in: text) == nil { end = text.utf8.index(before: end) }
        return text[..<end] + "…"
    }
}
