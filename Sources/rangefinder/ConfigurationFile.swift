import Settings

/// Reads a configuration for a command: warnings and errors go to standard error, and an error ends the command.
func loadSettings(_ path: String) throws -> Settings {
    let reading = Settings.load(path: path, surroundings: Rangefinder.surroundings)
    for diagnostic in reading.diagnostics { printError(diagnostic.text(file: path)) }
    guard let settings = reading.settings else {
        throw Failure(.notWell, "the configuration is wrong; nothing was started")
    }
    return settings
}
