import ArgumentParser
import Curl
import Daemon
import Glibc
import Health
import Pages
import Probing
import ServiceLifecycle
import Settings
import Synchronization
import Terminal

struct ProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "Make one probe now and show its phases.",
        discussion: "Exits with 0 when the answer is as expected, 1 when it is not, and 70 when this machine has trouble.")

    @Argument(help: ArgumentHelp("The URL to probe, with the default policy.", valueName: "url"))
    var url: String?

    @OptionGroup var file: ConfigOption

    @Option(help: ArgumentHelp("A target of the list, by name or id.", valueName: "name-or-id"), completion: .targetNames)
    var target: String?

    @OptionGroup var request: RequestOptions

    @Option(
        name: .customLong("repeat"),
        help: ArgumentHelp("Probe this many times, one second apart, and print a summary.", valueName: "count"))
    var times: Int?

    @Flag(help: "Probe each address that the name has.")
    var allAddresses = false

    @Flag(help: "Print what is sent and received to standard error, without secrets.")
    var debug = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (url == nil) != (target == nil) else { throw ValidationError("Give either a URL or --target NAME-OR-ID.") }
        if let times, times < 1 { throw ValidationError("--repeat wants a number from 1.") }
        if times != nil, allAddresses { throw ValidationError("Give only one of --repeat and --all-addresses.") }
    }

    func run() async throws {
        // A URL is probed by the defaults, unless a configuration was named.
        let config = target == nil ? file.named : try file.path()
        let settings = try config.map { try loadSettings($0) }
        let engine = try newEngine()
        var order: ProbeOrder
        if let url {
            order = typed(ProbeWords.url(url), settings)
        } else {
            order = try await listed(try require(settings), engine)
        }
        order.policy = try request.adjusted(order.policy)
        let run = ProbeRun(engine: engine, places: try request.places(), isTraced: debug)
        let reports = try await probe(order, run)
        await engine.shutDown()
        if json { try printData(try JSONEnvelope.text(kind: "probe", at: .now(), reports.map { ProbeItem($0, order) })) }
        if target == nil, let settings, let last = reports.last, let denial = Self.denial(last, order, settings) {
            printError("the daemon of this configuration would not probe this: \(denial)")
        }
        let asked = reports.flatMap(\.hops).compactMap { URLParts($0.url) }
        for place in run.places where !asked.contains(where: { $0.host == place.host && $0.port == place.port }) {
            printError("no request went to \(displayText(place.host)):\(place.port), so its --resolve did nothing")
        }
        // Our own trouble says nothing of what was asked about.
        if reports.contains(where: { $0.result.void != nil }) { throw ExitCode(ExitStatus.internal.rawValue) }
        if reports.contains(where: { !$0.result.outcome.isSuccess }) { throw ExitCode(ExitStatus.notWell.rawValue) }
    }

    /// Shows each as it comes.
    private func probe(_ order: ProbeOrder, _ run: ProbeRun) async throws -> [ProbeReport] {
        if allAddresses {
            let (first, all) = await run.probeAll(order)
            if !json { try all.isEmpty ? show(first, order) : show(all) }
            return all.isEmpty ? [first] : all.map(\.report)
        }
        guard let times else {
            let report = await run.probe(order)
            if !json { try show(report, order) }
            return [report]
        }
        let reports = Mutex<[ProbeReport]>([])
        // Who has seen enough wants the summary, as of ping.
        try await endingAtInterrupt { [json] in
            try await cancelWhenGracefulShutdown {
                for number in 1...times {
                    if number > 1 { try? await Task.sleep(for: .seconds(1)) }
                    guard !Task.isCancelled else { break }
                    let report = await run.probe(order)
                    guard !Task.isCancelled else { break }
                    reports.withLock { $0.append(report) }
                    if !json { try printData(Self.line(report, "\(number)")) }
                    guard StandardOutput.hasReader else { break }
                }
            }
        }
        let made = reports.withLock(\.self)
        guard !made.isEmpty else { throw Failure(.notWell, "no probe was completed") }
        if !json { try printData("\n" + ProbeSummary(made).text) }
        return made
    }

    private static func line(_ report: ProbeReport, _ name: String) -> String {
        let word = report.result.void != nil ? "spoiled" : report.result.outcome.isSuccess ? "ok" : "failed"
        return "\(name)  \(word)  \(durationWords(report.result.duration))  \(displayText(report.result.sentence, limit: 1024))\n"
    }

    private func show(_ all: [(address: SocketAddress, report: ProbeReport)]) throws {
        let host = all.first?.report.hops.first.flatMap { URLParts($0.url) }?.host ?? "the name"
        try printData("\(displayText(host)) has \(counted(all.count, "address", "addresses")):\n")
        for (address, report) in all { try printData("  " + Self.line(report, address.text)) }
    }

    private func newEngine() throws -> TransferEngine {
        do { return try TransferEngine() } catch {
            throw Failure(.internal, "no probe can be made here, which says nothing of the target: \(displayText(error.detail))")
        }
    }

    /// What a person typed is asked for as it is: the egress rule is for what others may name.
    private func typed(_ url: String, _ settings: Settings?) -> ProbeOrder {
        let target = Target(
            identity: TargetIdentity(clientID: "", key: ""), name: urlWithoutSecrets(url), baseURL: url, testPath: "", region: "")
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
        let all = try await knownTargets(settings, engine)
        let found = all.called(wanted)
        guard let target = found.first else {
            let meant = didYouMean(wanted, all.map(\.name)) ?? ""
            throw Failure(.usage, "no target has the name or id \(displayText(wanted))\(meant)")
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
        let view = ProbeView(
            method: order.policy.method, url: urlWithoutSecrets(report.hops.first?.url ?? order.target.baseURL),
            result: report.result,
            hops: report.hops.map { .init(url: urlWithoutSecrets($0.url), status: $0.status) },
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
        url = urlWithoutSecrets(report.hops.first?.url ?? order.target.baseURL)
        hops = report.hops.map { Hop(url: urlWithoutSecrets($0.url), httpStatus: $0.status) }
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
