import ArgumentParser
import DatabaseFiles
import Glibc
import Health
import History

/// `history check`: whether the database is well.
struct HistoryCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check whether the database is whole, and say what to do if it is damaged.",
        discussion: "Reads the whole database. This takes minutes for a large database. Exits with 1 when something is wrong.")

    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        let path = try database.path()
        let check: HistoryCheck
        do throws(HistoryError) {
            check = try HistoryReader.open(path: path).check()
        } catch {
            let mayBeDamaged = [.database(.damaged), .notOurs, .database(.inputOutput), .database(.other), .other].contains(
                error.code)
            throw Failure(.unreachable, mayBeDamaged ? "\(error)\n\(Self.repair(path))" : "\(error)")
        }
        for problem in check.problems { try printData("\(displayText(problem))\n") }
        if check.problems.isEmpty {
            let contents = "\(counted(check.results, "result")), \(counted(check.incidents, "incident"))"
            try printData("\(displayText(path)) is well: \(contents)\n")
            return
        }
        if check.isDamaged { try printData(Self.repair(path) + "\n") }
        throw ExitCode(ExitStatus.notWell.rawValue)
    }

    private static func repair(_ path: String) -> String {
        let path = displayText(path)
        return """
            If it is damaged: keep a copy of it, then `sqlite3 \(path) .recover | sqlite3 NEW.db` saves what can be read; statuses and streaks \
            are learned again. Nothing is changed by this command.
            """
    }
}

/// `history backup FILE`: a copy while the daemon runs.
struct HistoryBackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the database to a new file, whether the daemon runs or not.",
        discussion: "The copy shows the database at one moment. It is one file, which any SQLite tool can open.")

    @Argument(help: ArgumentHelp("The file to make. It must not exist.", valueName: "file"), completion: .file())
    var file: String

    @OptionGroup var database: DatabaseOptions

    func run() async throws {
        let source = try database.path()
        do throws(HistoryError) {
            let reader = try HistoryReader.open(path: source)
            try reader.backUp(to: file)
        } catch {
            // Of the database itself, or of the file that is made of it.
            let isOfSource = error.path == source || [.database(.damaged), .database(.locked)].contains(error.code)
            let code: ExitStatus = isOfSource ? .unreachable : error.code == .exists ? .usage : .internal
            throw Failure(code, "\(error)")
        }
        printError("backed up to \(displayText(file))")
    }
}
