import Settings

/// Reads a configuration for a command: warnings and errors go to standard error, and an error ends the command.
func loadSettings(_ path: String) throws -> Settings { try loadSettings(path, mustWatch: false) }

/// - Parameter mustWatch: see ``Settings/load(path:surroundings:mustWatch:)``.
func loadSettings(_ path: String, mustWatch: Bool) throws -> Settings {
    let reading = Settings.load(path: path, surroundings: Rangefinder.surroundings, mustWatch: mustWatch)
    for diagnostic in reading.diagnostics { printError(diagnostic.text(file: path)) }
    guard let settings = reading.settings else {
        throw Failure(.notWell, "the configuration is wrong; nothing was started")
    }
    return settings
}
