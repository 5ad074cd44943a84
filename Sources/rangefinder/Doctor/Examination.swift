import Curl
import Daemon
import Glibc
import Health
import Settings
import Synchronization

private final class FilesRead: Sendable {
    let paths = Mutex<[String]>([])
}

/// What `doctor` looks at, in the order in which a new operator goes wrong.
struct Examination {
    let config: String
    private(set) var findings: [Finding] = []
    /// As far as the configuration could be read.
    private(set) var settings: Settings?

    init(config: String) { self.config = config }

    mutating func run() async {
        checkConfiguration()
        checkClock()
        checkAuthorities()
        guard let settings else { return checkService() }
        checkLimits(settings)
        checkDatabase(settings)
        guard let engine = try? TransferEngine(userAgent: Rangefinder.userAgent) else {
            return bad("threads", "no thread could be started", "raise the limit of processes (ulimit -u, TasksMax)")
        }
        findings += targetsFileFindings(settings)
        await checkAPI(settings, engine)
        await checkListener(settings, engine)
        await engine.shutDown()
        checkService()
    }

    mutating func ok(_ check: String, _ words: String) { findings.append(Finding(check: check, state: .ok, words: words)) }

    mutating func skip(_ check: String, _ words: String) {
        findings.append(Finding(check: check, state: .skipped, words: words))
    }

    mutating func warn(_ check: String, _ words: String, _ remedy: String) {
        findings.append(Finding(check: check, state: .warning, words: words, remedy: remedy))
    }

    mutating func bad(_ check: String, _ words: String, _ remedy: String) {
        findings.append(Finding(check: check, state: .bad, words: words, remedy: remedy))
    }

    // MARK: Files and the machine

    private mutating func checkConfiguration() {
        let (system, files) = (Rangefinder.surroundings.asTheServiceSeesThem(), FilesRead())
        var surroundings = system
        surroundings.readFile = { path, limit throws(FileProblem) in
            let bytes = try system.readFile(path, limit)
            files.paths.withLock { if !$0.contains(path) { $0.append(path) } }
            return bytes
        }
        let reading = Settings.load(path: config, surroundings: surroundings)
        defer { checkFiles(files.paths.withLock { $0 }) }
        for diagnostic in reading.diagnostics.prefix(20) {
            let text = diagnostic.text(file: config)
            if diagnostic.severity == .warning {
                warn("configuration", text, "see whether it is meant so")
            } else {
                bad("configuration", text, "mend this place; docs and config/rangefinder.yaml explain each key")
            }
        }
        settings = reading.settings
        guard let settings else { return }
        if settings.clientIDs.isEmpty {
            bad("configuration", "there is nothing to watch", "set targets_file, or name a client under targets_api.clients")
        } else if !reading.diagnostics.contains(where: { $0.severity == .error }) {
            ok("configuration", "\(displayText(config)) has no mistake, and its credentials can be read")
        }
    }

    private mutating func checkClock() {
        let (now, isSynchronised) = (Timestamp.now(), Systemd.isClockSynchronised)
        if now.milliseconds < 1_750_000_000_000 {
            bad("clock", "it is \(now) here", "set the clock: certificates and the history need the right time")
        } else if isSynchronised == false {
            warn("clock", "it is \(now) here, and nothing keeps that right", "run systemd-timesyncd or chrony")
        } else {
            ok("clock", "it is \(now) here" + (isSynchronised == true ? ", and synchronised" : ""))
        }
    }

    private mutating func checkAuthorities() {
        let path = systemAuthorities
        guard let bytes = try? ProcessEnvironment.system().readFile(path, 16 << 20) else {
            return bad("authorities", "\(displayText(path)) can't be read", "install the package ca-certificates")
        }
        let count = String(decoding: bytes, as: UTF8.self).split(separator: "-----BEGIN CERTIFICATE-----").count - 1
        count > 0
            ? ok("authorities", "\(count) in \(displayText(path))")
            : bad("authorities", "there is none in \(displayText(path))", "run update-ca-certificates")
    }

    private mutating func checkLimits(_ settings: Settings) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        // The service's own limit counts, where there is one.
        let allowed = Systemd.property("LimitNOFILE").flatMap { Int($0) } ?? Int(clamping: limit.rlim_max)
        let wanted = settings.limits.maxInFlight
        let probes = DescriptorShares(of: allowed, settings).probes
        if probes >= wanted {
            ok("descriptors", "\(allowed) are allowed, which is enough for limits.max_in_flight (\(wanted))")
        } else {
            warn(
                "descriptors",
                "\(allowed) are allowed, which is enough for \(probes) probes at once, and limits.max_in_flight is \(wanted)",
                "raise LimitNOFILE, or lower limits.max_in_flight")
        }
    }
}
