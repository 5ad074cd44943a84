import ArgumentParser
import Daemon
import Glibc
import Health
import Settings

/// Which configuration is meant: the one that is named, else the one of the environment, else the service's.
struct ConfigOption: ParsableArguments {
    static let variable = "RANGEFINDER_CONFIG"
    static let service = "/etc/rangefinder/rangefinder.yaml"

    @Option(
        name: [.customShort("c"), .long],
        help: ArgumentHelp(
            "The configuration. Without it, that of $\(variable), else \(service).", valueName: "file"), completion: .file())
    var config: String?

    /// That was named by who runs the command; nil where nobody did.
    var named: String? { config ?? Rangefinder.surroundings.environment(Self.variable).flatMap { $0.isEmpty ? nil : $0 } }

    /// nil where there is none.
    var found: String? { named ?? (access(Self.service, F_OK) == 0 ? Self.service : nil) }

    func path() throws -> String {
        if let found { return found }
        throw Failure(
            .usage, "which configuration? Name it by -c FILE or by $\(Self.variable), or put it at \(Self.service)")
    }
}

/// Reads a configuration for a command: warnings and errors go to standard error, and an error ends the command.
///
/// - Parameters:
///   - mustWatch: see ``Settings/load(path:surroundings:mustWatch:)``.
///   - needsSecrets: false for a command that only reads, which may be run by somebody who may not read the secrets.
func loadSettings(_ path: String, mustWatch: Bool = false, needsSecrets: Bool = true) throws -> Settings {
    let surroundings = needsSecrets ? Rangefinder.surroundings : Rangefinder.surroundings.withoutSecrets
    let reading = Settings.load(path: path, surroundings: surroundings, mustWatch: mustWatch)
    for diagnostic in reading.diagnostics { printError(diagnostic.text(file: path)) }
    guard let settings = reading.settings else {
        throw Failure(.notWell, "the configuration is wrong; nothing was started")
    }
    return settings
}
