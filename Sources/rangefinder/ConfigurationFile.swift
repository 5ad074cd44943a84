import Settings

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
