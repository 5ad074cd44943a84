// Settings: the configuration file as values, and everything that is wrong with it, by line and column.
// What lives here: the sections as value types, the strict reader of YAML, which policy a target gets, secrets.
// What doesn't: acting on a setting. Files other than the configuration, its secrets and a CA bundle are never opened here.
// Text comes in from a file; values go on to Daemon and the commands, which hand each module its own section.
// Yams is known to one file, Reader/Document.swift. Each key is one row of a table in Sections/*Keys.swift; config/rangefinder.yaml explains it.

package import Health

/// One whole configuration. `Settings()` is what an empty file means.
///
/// No printed form of it holds a secret: those are `Health.Secret` throughout.
package struct Settings: Hashable, Sendable {
    package var vantage = Vantage()
    /// Metrics, health and pages.
    package var listen = ListenAddress(host: "127.0.0.1", port: 10115)
    /// Further names by which pages may be asked for.
    package var listenNames: [String] = []
    /// How people reach the pages; nil for what `listen` and TLS make likely.
    package var externalURL: String?

    package enum Pages: String, Hashable, Sendable, CaseIterable {
        /// This machine, and who has a name and a password.
        case auto
        /// Everybody who reaches `listen`.
        case open
    }

    /// Who sees the pages.
    package var pages = Pages.auto
    /// Whether the POST endpoints exist.
    package var admin = false
    package var webConfigFile: String?
    package var metrics = Metrics()
    /// The file that is watched in place of the Targets API; nil means the API.
    package var targetsFile: String?
    /// The targets of a daemon that was started for these alone, as by `watch`; no key of the configuration.
    package var typed: [Target]?
    package var targetsAPI = TargetsAPI()
    /// The embedded Targets API; nil means off.
    package var targetsServer: TargetsServer?
    package var probe = ProbePolicy()
    /// What the file has of ``probe``.
    package var probeWritten = Written()
    package var limits = Limits()
    package var overrides: [Override] = []
    /// Reads the probe settings that stand beside the targets of ``targetsFile``.
    var own = OwnSettings()
    package var egress = EgressRule()
    package var history = History()
    package var alerting = Alerting()
    package var maintenance: [Maintenance] = []
    package var log = Log()
    /// Whether the kernel may write the daemon's memory, where the secrets are, to a core dump.
    package var coreDumps = false

    package init() {}

    /// Neither a list to fetch nor one to read nor one to serve.
    package var watchesNothing: Bool { clientIDs.isEmpty && targetsServer == nil }

    /// The clients whose lists are watched.
    package var clientIDs: [String] { targetsFile == nil && typed == nil ? targetsAPI.clients.map(\.id) : [WatchedFile.clientID] }

    /// How a target is probed: as it says itself in its file, else the policy of the first override that matches, top to bottom, else ``probe``.
    ///
    /// `url` is the final test URL; nil when there is none, and then no `match.url` matches.
    package func policy(for target: Target, url: MatchedURL?) -> ProbePolicy {
        let policy = overrideIndex(for: target, url: url).map { overrides[$0].policy } ?? probe
        return target.probe.map { own.policy($0, over: policy, of: target) } ?? policy
    }

    /// The location in ``overrides`` of the one that a target gets; nil when none matches.
    package func overrideIndex(for target: Target, url: MatchedURL?) -> Int? {
        overrides.firstIndex { $0.match.matches(target, url: url) }
    }
}

/// What reading a configuration file came to.
package struct Reading: Sendable {
    /// Nil when one of the diagnostics is an error.
    package var settings: Settings?
    /// Sorted by location.
    package var diagnostics: [Diagnostic]
}

extension Settings {
    /// The bound of a configuration file, in bytes.
    package static let fileLimit = 1 << 20

    /// Reads a file and the secrets it names. Everything that is wrong is in the answer at once; nothing is thrown.
    ///
    /// - Parameter mustWatch: a file that names nothing to watch is an error, and not a warning: for the daemon's start, its reload, and
    ///   the check of what both would say.
    package static func load(path: String, surroundings: ProcessEnvironment = .system(), mustWatch: Bool = false) -> Reading {
        switch Result(catching: { () throws(FileProblem) in try surroundings.readFile(path, fileLimit) }) {
        case .success(let bytes):
            return read(bytes, path: path, surroundings: surroundings, mustWatch: mustWatch)
        case .failure(let problem):
            let message =
                problem == .tooLarge ? "the file is longer than 1MiB" : "the file can't be read: \(problem.sentence)"
            return Reading(settings: nil, diagnostics: [Diagnostic(.error, line: 1, column: 1, message)])
        }
    }

    /// Reads a configuration that is already at hand; `path` is where it is from, for the files it names.
    package static func read(
        _ bytes: [UInt8], path: String, surroundings: ProcessEnvironment = .system(), mustWatch: Bool = false
    ) -> Reading {
        let diagnostics = Diagnostics()
        var settings: Settings?
        if let document = Document.read(bytes, diagnostics: diagnostics) {
            let context = ReadingContext(
                diagnostics: diagnostics, surroundings: surroundings, configurationPath: path, mustWatch: mustWatch)
            settings = Settings(document, context: context)
            settings?.own = OwnSettings(configurationPath: path, surroundings: surroundings)
        }
        return Reading(settings: diagnostics.hasErrors ? nil : settings, diagnostics: diagnostics.sorted)
    }
}
