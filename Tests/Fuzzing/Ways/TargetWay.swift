import Curl
import Health
import Probing

/// A target is probed, with redirects, and its result is looked at.
struct TargetWay: Sendable {
    let engine: TransferEngine
    let prober: Prober
    let timeout: Duration

    init(engine: TransferEngine, timeout: Duration) {
        (self.engine, self.timeout) = (engine, timeout)
        prober = Prober(transfer: engine.transfer(_:), wallClock: { Timestamp(milliseconds: 1) })
    }

    private static let egress = EgressRule(allow: ["127.0.0.1/32"].compactMap { CIDR($0) })
    private static let target = Target(
        identity: TargetIdentity(clientID: "c", key: "t"), name: "fuzzed", baseURL: "", testPath: Case.path, region: "here")

    func run(_ fuzzed: Case, origin: String) async -> Seen {
        var dice = fuzzed.dice
        let policy = policy(of: fuzzed, &dice)
        let report = await probe(origin, policy)
        var complaints = Self.complaints(about: report.result)
        if fuzzed.isHonest, report.result.outcome == .bad(.protocolError) {
            complaints.append("an answer that is as it should be is \(report.result.outcome): \(report.result.sentence)")
        }
        let word = report.result.void.map { "void \($0.rawValue)" } ?? report.result.outcome.reason?.rawValue ?? "good"
        return Seen(word: word, sentence: report.result.sentence, complaints: complaints, requests: 1)
    }

    /// Has the engine read the authorities: a redirect to https needs them, and reading them takes longer than a case may.
    func prepare() async { _ = await probe("https://127.0.0.1:1", ProbePolicy(userAgent: "rangefinder/fuzz")) }

    /// A healthy target is good, whatever others have sent meanwhile.
    func complaintsOfHealthy(_ origin: String, reuses: Bool) async -> [String] {
        var policy = ProbePolicy(userAgent: "rangefinder/fuzz")
        (policy.connection, policy.bodyMatches, policy.timeout) = (reuses ? .reuse : .fresh, "^healthy$", .seconds(20))
        let result = await probe(origin, policy).result
        let isGood = result.outcome == .good && result.void == nil
        return isGood ? [] : ["a healthy target is \(result.outcome), void \(result.void?.rawValue ?? "no"): \(result.sentence)"]
    }

    private func probe(_ origin: String, _ policy: ProbePolicy) async -> ProbeReport {
        var target = Self.target
        target.baseURL = origin
        let order = ProbeOrder(target: target, policy: policy, egress: Self.egress)
        // As the daemon runs its probes.
        return await withTaskExecutorPreference(engine.executor) { await prober.probe(order) }
    }

    private func policy(of fuzzed: Case, _ dice: inout Dice) -> ProbePolicy {
        var policy = ProbePolicy(userAgent: "rangefinder/fuzz")
        policy.timeout = timeout
        policy.httpVersion = fuzzed.speaksFrames ? .http2 : dice.one(of: [.auto, .http1])
        policy.connection = dice.once(in: 3) ? .fresh : .reuse
        policy.method = dice.one(of: ["GET", "GET", "GET", "GET", fuzzed.isHonest ? "GET" : "HEAD", "POST"])
        if policy.method == "POST" { policy.body = .plain("{}") }
        policy.followRedirects = dice.one(of: [0, 1, 5])
        policy.maxBody = dice.one(of: [1 << 20, 1 << 16, 1000])
        switch dice.below(5) {
        case 0: policy.bodyMatches = dice.one(of: ["ok", "^hello$", "\\u{fc}", "(a+)+$"])
        case 1: policy.bodyJSON = JSONPath("$.status").map { BodyJSON(path: $0, equals: .text("ok")) }
        default: break
        }
        return policy
    }

    private static func complaints(about result: ProbeResult) -> [String] {
        var complaints: [String] = []
        // Lateness is this machine's, and no bytes bring it about.
        if let void = result.void, void != .tainted {
            complaints.append("the result is void (\(void.rawValue)): \(result.sentence)")
        }
        if result.outcome == .bad(.proberFault) { complaints.append("it is called our own fault: \(result.sentence)") }
        if let problem = problem(ofShown: result.sentence) {
            complaints.append("the sentence \(problem): \(escaped(Array(result.sentence.utf8)))")
        }
        let phases = [
            result.phases.dns, result.phases.connect, result.phases.tls, result.phases.processing, result.phases.transfer,
        ]
        if phases.contains(where: { ($0 ?? .zero) < .zero }) {
            complaints.append("a phase is less than nothing: \(result.phases)")
        }
        if let status = result.facts.httpStatus, !(100...999).contains(status) { complaints.append("the status is \(status)") }
        return complaints
    }
}

/// What came of one case.
struct Seen: Sendable {
    /// For the count of what came how often.
    var word: String
    var sentence: String
    var complaints: [String]
    /// So many timeouts it may have taken; a probe has one for all its requests.
    var requests: Int
}

/// What is wrong with a text that people see, in which a stranger's words are.
func problem(ofShown text: String) -> String? {
    if text.contains(Case.secret) { return "has the secret in it" }
    let isUnsafe = text.unicodeScalars.contains { scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: false
        }
    }
    return isUnsafe ? "has characters in it that may not be shown" : nil
}
