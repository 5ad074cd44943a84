import ArgumentParser
import Curl
import Daemon
import Glibc
import Health
import Pages
import Probing
import Settings
import Terminal

struct ProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "Make one probe now and show its phases.",
        discussion: "Exits with 0 when the answer is as expected, 1 when it is not, and 70 when this machine has trouble.")

    @Argument(help: ArgumentHelp("The URL to probe, with the default policy.", valueName: "url"))
    var url: String?

    @Option(help: ArgumentHelp("Probe as this configuration says.", valueName: "file"), completion: .file())
    var config: String?

    @Option(help: ArgumentHelp("A target of the list, by name or id.", valueName: "name-or-id"), completion: .targetNames)
    var target: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (url == nil) != (target == nil) else { throw ValidationError("Give either a URL or --target NAME-OR-ID.") }
        guard target == nil || config != nil else { throw ValidationError("--target needs --config FILE.") }
    }

    func run() async throws {
        let settings = try config.map { try loadSettings($0) }
        let engine = try newEngine()
        let order: ProbeOrder
        if let url {
            order = typed(url, settings)
        } else {
            order = try await listed(try require(settings), engine)
        }
        let prober = Prober(transfer: engine.transfer(_:), wallClock: { .now() })
        let report = await prober.probe(order)
        await engine.shutDown()
        try show(report, order)
        if target == nil, let settings, let denial = Self.denial(report, order, settings) {
            printError("the daemon of this configuration would not probe this: \(denial)")
        }
        // Our own trouble says nothing of what was asked about.
        if report.result.void != nil { throw ExitCode(ExitStatus.internal.rawValue) }
        if !report.result.outcome.isSuccess { throw ExitCode(ExitStatus.notWell.rawValue) }
    }

    private func newEngine() throws -> TransferEngine {
        do { return try TransferEngine() } catch {
            throw Failure(.internal, "no probe can be made here, which says nothing of the target: \(displayText(error.detail))")
        }
    }

    /// What a person typed is asked for as it is: the egress rule is for what others may name.
    private func typed(_ url: String, _ settings: Settings?) -> ProbeOrder {
        let target = Target(
            identity: TargetIdentity(clientID: "", key: ""), name: withoutPassword(url), baseURL: url, testPath: "", region: "")
        var policy = settings?.policy(for: target) ?? ProbePolicy(userAgent: Rangefinder.userAgent)
        policy.isEnabled = true
        return ProbeOrder(target: target, policy: policy, egress: .unlimited)
    }

    /// Why the daemon would not do what a person may.
    private static func denial(_ report: ProbeReport, _ order: ProbeOrder, _ settings: Settings) -> String? {
        if let sentence = unprobeableSentence(order.target, join: order.policy.pathJoin, egress: settings.egress) {
            return sentence
        }
        guard let address = report.result.facts.address.flatMap({ IPAddress($0) }) else { return nil }
        return denialSentence(address, settings.egress, of: report.hops.last.flatMap { URLParts($0.url) }?.host ?? "")
    }

    private func listed(_ settings: Settings, _ engine: TransferEngine) async throws -> ProbeOrder {
        let wanted = target ?? ""
        let found = try await knownTargets(settings, engine).called(wanted)
        guard let target = found.first else {
            throw Failure(.usage, "no target is named \(displayText(wanted)) or has that id")
        }
        guard found.count == 1 else {
            let candidates = found.prefix(20).map { "  \(displayText($0.identity.key))  \(displayText($0.region))" }
            throw Failure(
                .usage,
                "\(counted(found.count, "target")) are named \(displayText(wanted)); use an id:\n"
                    + candidates.joined(separator: "\n"))
        }
        return ProbeOrder(target: target, policy: settings.policy(for: target), egress: settings.egress)
    }

    private func require(_ settings: Settings?) throws -> Settings {
        guard let settings else { throw Failure(.usage, "--target needs --config FILE") }
        return settings
    }

    private func show(_ report: ProbeReport, _ order: ProbeOrder) throws {
        if json {
            try printData(try JSONEnvelope.text(kind: "probe", at: .now(), [ProbeItem(report, order)]))
            return
        }
        let view = ProbeView(
            method: order.policy.method, url: report.hops.first?.url ?? withoutPassword(order.target.baseURL),
            result: report.result,
            hops: report.hops.map { .init(url: $0.url, status: $0.status) },
            certificates: report.certificates.map {
                .init(
                    subject: $0.subject, issuer: $0.issuer, names: $0.names.map(\.text), beginning: $0.beginning,
                    expiry: $0.expiry)
            })
        try printData(waterfall(view, style: .detect(descriptor: STDOUT_FILENO)))
    }
}

/// One probe as `--json` prints it; names as in `probe_history`.
struct ProbeItem: Encodable {
    /// One request: the first, or one that a redirect led to.
    struct Hop: Encodable {
        var url: String
        @OrNull var httpStatus: Int?
    }

    struct Certificate: Encodable {
        var subject: String
        var issuer: String
        var names: [String]
        @OrNull var notBefore: String?
        @OrNull var notAfter: String?
    }

    @OrNull var targetID: String?
    @OrNull var clientID: String?
    var target: String
    @OrNull var region: String?
    var url: String
    var hops: [Hop]
    var startedAt: String
    @OrNull var success: Bool?
    var void: Bool
    @OrNull var reason: String?
    @OrNull var cause: String?
    var sentence: String
    @OrNull var httpStatus: Int?
    @OrNull var httpVersion: Double?
    @OrNull var address: String?
    @OrNull var tlsVersion: String?
    @OrNull var certificateExpiresAt: String?
    var certificates: [Certificate]
    var redirects: Int
    var durationUs: Int64
    @OrNull var dnsUs: Int64?
    @OrNull var connectUs: Int64?
    @OrNull var tlsUs: Int64?
    @OrNull var processingUs: Int64?
    @OrNull var transferUs: Int64?

    init(_ report: ProbeReport, _ order: ProbeOrder) {
        let result = report.result
        let isListed = !result.target.key.isEmpty
        targetID = isListed ? result.target.key : nil
        clientID = isListed ? result.target.clientID : nil
        target = order.target.name
        region = isListed ? order.target.region : nil
        url = report.hops.first?.url ?? withoutPassword(order.target.baseURL)
        hops = report.hops.map { Hop(url: $0.url, httpStatus: $0.status) }
        startedAt = result.startedAt.description
        success = result.void == nil ? result.outcome.isSuccess : nil
        void = result.void != nil
        reason = result.outcome.reason?.rawValue
        cause = result.outcome.cause?.rawValue
        sentence = result.sentence
        httpStatus = result.facts.httpStatus
        httpVersion = result.facts.httpVersion
        address = result.facts.address
        tlsVersion = result.facts.tlsVersion?.rawValue
        certificateExpiresAt = (result.facts.certificateExpiry ?? result.facts.presentedExpiry)?.description
        certificates = report.certificates.map {
            Certificate(
                subject: $0.subject, issuer: $0.issuer, names: $0.names.map(\.text), notBefore: $0.beginning?.description,
                notAfter: $0.expiry?.description)
        }
        redirects = result.facts.redirects
        durationUs = result.duration.wholeMicroseconds
        dnsUs = result.phases.dns?.wholeMicroseconds
        connectUs = result.phases.connect?.wholeMicroseconds
        tlsUs = result.phases.tls?.wholeMicroseconds
        processingUs = result.phases.processing?.wholeMicroseconds
        transferUs = result.phases.transfer?.wholeMicroseconds
    }
}

/// Of a URL that wasn't asked for: what stands before the host's name may be a secret.
private func withoutPassword(_ url: String) -> String {
    guard let start = url.firstRange(of: "//")?.upperBound else { return url }
    let authority = url[start...].prefix { !"/?#".contains($0) }
    guard let at = authority.lastIndex(of: "@") else { return url }
    return url[..<start] + "…" + url[at...]
}
