import ArgumentParser
import ConnectionLimits
import Daemon
import Glibc
import Health
import Settings
import Terminal

struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Watch some URLs in the foreground, as ping watches a host.",
        discussion: """
            Runs a whole daemon for these URLs: a table of what it sees, and the pages with their history. It listens on loopback alone \
            and needs no configuration. Ends with Ctrl-C. Its history is deleted then, unless --state names a directory.
            """)

    @Argument(help: ArgumentHelp("The URLs. Without a scheme, https is used, and http for this machine.", valueName: "url"))
    var urls: [String]

    @Option(help: ArgumentHelp("How often each is probed, as in 5s or 1m.", valueName: "time"))
    var interval = "5s"

    @Option(help: ArgumentHelp("The statuses that count as good, as in 200 or 200-299,401.", valueName: "statuses"))
    var expectStatus: String?

    @Option(
        name: [.customShort("H"), .customLong("header")],
        help: ArgumentHelp("A header of each request.", valueName: "name: value"))
    var headers: [String] = []

    @Flag(help: "Don't verify certificates.")
    var insecure = false

    @Option(
        help: ArgumentHelp(
            "The port of the pages: 10115, or a free one where that is taken. 0 finds a free one.", valueName: "port"))
    var port: Int?

    @Option(
        help: ArgumentHelp("Keep the history here, and go on with it the next time.", valueName: "directory"),
        completion: .directory)
    var state: String?

    func validate() throws {
        guard !urls.isEmpty else { throw ValidationError("Give at least one URL.") }
        if let port, !(0...65_535).contains(port) { throw ValidationError("--port wants a number from 0 to 65535.") }
        _ = try policy()
    }

    func run() async throws {
        let policy = try policy()
        let targets = try targets()
        let directory = try StateDirectory(kept: state, for: "watch")
        defer { directory.removeIfTemporary() }
        let daemon = ForegroundDaemon(directory: directory, style: .detect(descriptor: STDOUT_FILENO))
        let isKept = state != nil
        do {
            try await daemon.run(settings(policy, targets, directory), handlesSignals: true) { [logPath = daemon.logPath] port in
                [
                    "Pages    http://127.0.0.1:\(port)/", "Log      \(logPath)",
                    isKept
                        ? "Ctrl-C ends it. The history is kept."
                        : "Ctrl-C ends it, and its history with it (--state DIR keeps that).",
                ]
            }
        } catch let failure as ListenFailure {
            let sentence = failure.trouble?.sentence(change: "choose another port by --port (0 finds a free one)")
            throw Failure(.unreachable, sentence ?? failure.description)
        }
    }

    // MARK: What is watched

    private func policy() throws -> ProbePolicy {
        var policy = ProbePolicy(userAgent: Rangefinder.userAgent)
        guard let every = parseDuration(interval), every >= .seconds(1), every <= .seconds(86_400) else {
            throw ValidationError("--interval wants a time from 1s to 1d, such as 5s.")
        }
        policy.interval = every
        policy.fastInterval = min(.seconds(1), every)
        policy.timeout = min(policy.timeout, every)
        if let expectStatus { policy.expectedStatuses = try ProbeWords.statuses(expectStatus) }
        policy.headers = try headers.map { try ProbeWords.header($0) }
        policy.verifiesCertificates = !insecure
        return policy
    }

    private func settings(_ policy: ProbePolicy, _ targets: [Target], _ directory: StateDirectory) -> Settings {
        var settings = Settings()
        settings.vantage.name = Rangefinder.surroundings.hostName
        settings.listen = ListenAddress(
            host: "127.0.0.1", port: port ?? (isFree(Settings().listen.port) ? Settings().listen.port : 0))
        settings.typed = targets
        settings.history.path = directory.file("history.db")
        // What a person typed is asked for as it is: the egress rule is for what others may name.
        settings.egress = .unlimited
        settings.probe = policy
        return settings
    }

    private func targets() throws -> [Target] {
        var (seen, names): (Set<String>, [String: Int]) = ([], [:])
        var (mistakes, places): ([String], Set<String>) = ([], [])
        let targets = urls.map(ProbeWords.url).filter { seen.insert($0).inserted }.compactMap { url -> Target? in
            let reading = Settings().watchedFile(Array(TargetsFile.text(ofURLs: [url]).utf8)) { _ in ProbePolicy() }
            guard var target = reading.file?.targets.first else {
                let why = reading.diagnostics.first { $0.severity == .error }?.message ?? "no URL"
                mistakes.append(
                    "\(displayText(urlWithoutSecrets(url))): \(why.replacing("an entry of 'targets'", with: "this"))")
                return nil
            }
            guard places.insert(target.baseURL.lowercased() + target.testPath).inserted else { return nil }
            // Two may differ only in what a name doesn't have.
            names[target.name, default: 0] += 1
            if let number = names[target.name], number > 1 {
                target.name += " (\(number))"
                target.identity = TargetIdentity(clientID: target.identity.clientID, key: target.name)
            }
            return target
        }
        guard mistakes.isEmpty else { throw Failure(.usage, mistakes.joined(separator: "\n")) }
        return targets
    }
}

/// Whether nobody listens on a port of loopback.
private func isFree(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var reuse: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(clamping: port)).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
