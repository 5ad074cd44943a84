import ArgumentParser
import Daemon
import FoundationEssentials
import Glibc
import Health
import History
import Pages

/// `history export`: the pinned views as CSV or JSON Lines.
struct HistoryExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print results, hours or incidents as CSV or JSON Lines, whether the daemon runs or not.",
        discussion: """
            The columns are those of the views probe_history, availability_history and incident_history. Progress goes to standard error, \
            if standard error is a terminal.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case csv, jsonl }

    @OptionGroup var database: DatabaseOptions

    @Option(help: "The view to print.")
    var view = HistoryExport.View.results

    @Option(help: "The format: csv (RFC 4180), or jsonl with one object a line.")
    var format = Format.csv

    @Option(help: ArgumentHelp("How far back: 24h, 7d. Without it, everything in the database.", valueName: "duration"))
    var since: Span?

    func run() async throws {
        let now = Timestamp.now()
        let start = since.map { now + (.zero - $0.duration) } ?? Timestamp(milliseconds: .min)
        let export = try reading(try database.path()) { reader throws(HistoryError) in
            try HistoryExport(reader, view, in: start..<Timestamp(milliseconds: .max))
        }
        if format == .csv { try printData(export.columns.map(csvCell).joined(separator: ",") + "\r\n") }
        let showsProgress = isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) == 0
        var count = 0
        do {
            try export.run { rows, progress in
                count += rows.count
                try printData(rows.map { format == .csv ? csv($0) : jsonLine($0, export.columns) }.joined())
                guard StandardOutput.hasReader else { throw Unread() }
                if showsProgress { say("\r\(Int(progress * 100)) %, \(counted(count, "row"))\u{1B}[K") }
            }
        } catch let error as HistoryError {
            throw Failure(.unreachable, "\(error)")
        } catch is Unread {
            return
        }
        if showsProgress { say("\r\(counted(count, "row"))\u{1B}[K\n") }
    }

    /// Nobody reads the rest.
    private struct Unread: Error {}

    private func say(_ words: String) { _ = writeAll(words, to: STDERR_FILENO) }

    private func csv(_ row: [HistoryExport.Value]) -> String {
        row.map { value in
            switch value {
            case .null: ""
            case .integer(let number): "\(number)"
            case .text(let text): csvCell(text)
            }
        }.joined(separator: ",") + "\r\n"
    }

    private func jsonLine(_ row: [HistoryExport.Value], _ columns: [String]) -> String {
        let members = zip(columns, row).map { column, value in
            let text =
                switch value {
                case .null: "null"
                case .integer(let number): "\(number)"
                case .text(let text): jsonText(text)
                }
            return "\"\(column)\":\(text)"
        }
        return harmlessJSON("{" + members.joined(separator: ",") + "}") + "\n"
    }
}

/// RFC 4180. Names are foreign: what a terminal would obey is shown as `\u{…}`, wherever the cell goes, and what a spreadsheet would take
/// for a formula is made a text by a leading apostrophe, also behind blanks, which some leave off. JSON has the exact text.
func csvCell(_ text: String) -> String {
    let shown = displayText(text, limit: .max)
    // The full-width forms count, too: some spreadsheets read them as the others. By scalars, because a mark may stand on the sign.
    let isFormula = shown.unicodeScalars.first { $0 != " " }.map { "=+-@＝＋－＠".unicodeScalars.contains($0) } ?? false
    let safe = isFormula ? "'" + shown : shown
    // A semicolon parts cells where a comma parts the digits of a number.
    guard safe.utf8.contains(where: { ",;\"".utf8.contains($0) }) else { return safe }
    return "\"" + safe.replacing("\"", with: "\"\"") + "\""
}

/// RFC 8259.
private func jsonText(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
}

extension HistoryExport.View: ExpressibleByArgument {}
