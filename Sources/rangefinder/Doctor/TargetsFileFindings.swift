import Daemon
import Health
import Settings

/// What is wrong with the file that a daemon watches; nothing where it watches none.
func targetsFileFindings(_ settings: Settings) -> [Finding] {
    let surroundings = Rangefinder.surroundings.asTheServiceSeesThem()
    guard let file = settings.targetsFile, let reading = settings.readTargetsFile(surroundings) else { return [] }
    let check = "targets file"
    let mistakes = reading.diagnostics.prefix(20).map { diagnostic in
        let isWarning = diagnostic.severity == .warning
        return Finding(
            check: check, state: isWarning ? .warning : .bad, words: diagnostic.text(file: file),
            remedy: isWarning ? "see whether it is meant so" : "mend this place; docs/targets.md shows the format")
    }
    guard let watched = reading.file else { return mistakes }
    let found = "\(displayText(file)) has \(counted(watched.targets.count, "target"))"
    let state: Finding.State = watched.targets.isEmpty ? .warning : .ok
    let remedy = watched.targets.isEmpty ? "add some; until then there is nothing to probe" : nil
    return mistakes + [Finding(check: check, state: state, words: found, remedy: remedy)]
}
