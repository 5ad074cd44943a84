import Curl
import Health

/// What a body lacks of what was expected of it.
struct BodyMismatch: Equatable {
    var sentence: String
    /// It was a pattern that did not match.
    var isOfPattern: Bool
}

/// Finds what a body lacks of what was expected of it. Looked for after the probe's times were taken, and never on the engine's thread: every
/// other probe's sockets would wait for a pattern that explodes.
struct BodyVerdict: Sendable {
    private let patterns = PatternCache()

    /// How much of a body has to be kept for it, in bytes.
    static func bytesToKeep(_ policy: ProbePolicy) -> Int {
        // One more than may be read tells a body that is too long for JSON.
        policy.readsBody ? BodyPattern.bodyLimit + 1 : 0
    }

    /// The sentence that says why an answer's body isn't as expected, or nil; also when its status or failure says enough.
    ///
    /// - Parameter redaction: what of the body must not be quoted; asked for when something is.
    func mismatch(
        _ answer: TransferReport, policy: ProbePolicy, redaction: @Sendable () -> Redaction? = { nil }
    ) async -> BodyMismatch? {
        guard policy.readsBody, answer.failure == nil, policy.expects(answer.status) else { return nil }
        if let problem = answer.bodyProblem {
            return mismatch(problem, policy: policy).map { .init(sentence: $0, isOfPattern: false) }
        }
        return await withTaskExecutorPreference(globalConcurrentExecutor) {
            mismatch(answer.body, policy: policy, redaction: redaction)
        }
    }

    func mismatch(
        _ body: [UInt8], policy: ProbePolicy, redaction: () -> Redaction? = { nil }
    ) -> BodyMismatch? {
        if let words = policy.bodyMatches.flatMap({ mismatch(body, pattern: $0, redaction) }) {
            return .init(sentence: words, isOfPattern: true)
        }
        return policy.bodyJSON.flatMap { mismatch(body, json: $0, redaction) }.map { .init(sentence: $0, isOfPattern: false) }
    }

    /// What is broken is the verdict's to say.
    private func mismatch(_ problem: BodyProblem, policy: ProbePolicy) -> String? {
        guard problem.kind == .coding else { return nil }
        let readers = [policy.bodyMatches.map { _ in "body_matches" }, policy.bodyJSON.map { _ in "body_json" }].compactMap(
            \.self)
        return "its body can't be read for \(readers.joined(separator: " and ")): its Content-Encoding is "
            + "\(displayText(problem.codings)), and only gzip or deflate, once, is decoded"
    }

    private func mismatch(_ body: [UInt8], pattern text: String, _ redaction: () -> Redaction?) -> String? {
        let shown = displayText(text, limit: 80)
        let pattern: BodyPattern
        do throws(BodyPattern.Mistake) {
            pattern = try patterns.pattern(text)
        } catch {
            return "body_matches (\(shown)) is no pattern of PCRE2: \(error.sentence)"
        }
        return switch pattern.match(body.prefix(BodyPattern.bodyLimit)) {
        case .matches: nil
        case .matchesNot where body.count > BodyPattern.bodyLimit:
            "the first 256 KiB of the body do not match body_matches (\(shown)), and no more of it is read; "
                + "it begins \(beginning(of: body, redaction))"
        case .matchesNot: "the body does not match body_matches (\(shown)); it begins \(beginning(of: body, redaction))"
        case .gaveUp:
            "body_matches (\(shown)) takes too long on this body, which begins \(beginning(of: body, redaction)); simplify the pattern"
        }
    }

    private func mismatch(_ body: [UInt8], json: BodyJSON, _ redaction: () -> Redaction?) -> String? {
        let path = displayText(json.path.description, limit: 80)
        guard body.count <= BodyPattern.bodyLimit else {
            return "the body is longer than 256 KiB, and no more of it is read, so body_json can't find \(path)"
        }
        switch JSONQueryResult.find(json.path, in: body) {
        case .notJSON: return "the body is no JSON, so it has no \(path); it begins \(beginning(of: body, redaction))"
        case .absent: return "the body has no \(path), but \(displayText(json.equals.description, limit: 80)) was expected there"
        case .compound:
            return
                "the body's \(path) is an object or array, but \(displayText(json.equals.description, limit: 80)) was expected"
        case .unreadable:
            return "the body's \(path) can't be read: a number past all bounds, or a text that breaks JSON's rules"
        case .scalar(let found) where found == json.equals: return nil
        case .scalar(let found):
            let shown = Self.quoted(Array(found.description.utf8), limit: 80, redaction)
            return "the body's \(path) is \(shown), "
                + "but \(displayText(json.equals.description, limit: 80)) was expected"
        }
    }

    private func beginning(of body: [UInt8], _ redaction: () -> Redaction?) -> String {
        body.isEmpty ? "with nothing: it is empty" : "\"\(Self.quoted(body, limit: 60, redaction))\""
    }

    /// Without secrets before it is cut: of a secret that is cut nobody sees that it is one.
    private static func quoted(_ bytes: [UInt8], limit: Int, _ redaction: () -> Redaction?) -> String {
        let beginning = Array(bytes.prefix(quotedBytes))
        return displayText(String(decoding: redaction()?.cleaned(beginning) ?? beginning, as: UTF8.self), limit: limit)
    }

    private static let quotedBytes = 1024
}
