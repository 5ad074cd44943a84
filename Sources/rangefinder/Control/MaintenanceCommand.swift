import ArgumentParser
import Daemon
import Glibc
import Health
import History
import Pages
import Terminal

struct MaintenanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "maintenance", abstract: "Begin and end maintenance windows by hand.",
        discussion: """
            In a window nobody is alerted, and the time counts for no availability. The running daemon keeps the window over restarts. \
            Windows that are planned are in the configuration (maintenance).
            """,
        subcommands: [MaintenanceStartCommand.self, MaintenanceListCommand.self, MaintenanceEndCommand.self],
        defaultSubcommand: MaintenanceListCommand.self)
}

struct MaintenanceStartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Begin a window now.",
        discussion: """
            MATCH is a name, or a pattern with * and ?. Others are id=tgt_*, region=us-* and 'url=https://*.example.com/*'. Of several, all \
            must match. Reaches the daemon over its Unix socket. Exits with 69 when no daemon answers.
            """)

    @Argument(help: ArgumentHelp("Which targets.", valueName: "match"), completion: .targetNames)
    var match: [String]

    @Option(name: .customLong("for"), help: ArgumentHelp("How long: 30m, 2h, 1d; at most 31d.", valueName: "duration"))
    var length: String

    @Option(help: ArgumentHelp("Why.", valueName: "text"))
    var note: String?

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let fields = match.map { ("match", $0) } + [("for", length), ("note", note ?? "")]
        try await askDaemon("/-/maintenance", form: fields, database: try daemon.path())
    }
}

struct MaintenanceEndCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "end", abstract: "End a window now.", discussion: "Reaches the daemon over its Unix socket.")

    @Argument(help: ArgumentHelp("The window's number, as `maintenance list` prints it.", valueName: "id"))
    var id: Int

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        try await askDaemon("/-/maintenance", form: [("end", "\(id)")], database: try daemon.path())
    }
}

struct MaintenanceListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the windows that were begun by hand and aren't over.",
        discussion: "Reads the daemon's database, whether the daemon runs or not.")

    @OptionGroup var database: DatabaseOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let now = Timestamp.now()
        let documents = try reading(try database.path()) { reader throws(HistoryError) in
            try reader.documents(kind: AdHocWindow.kind)
        }
        let windows = documents.compactMap { AdHocWindow($0.key, $0.value) }.filter { $0.to > now }.sorted { $0.id < $1.id }
        if json {
            try printData(try JSONEnvelope.text(kind: "maintenance", at: now, windows.map(MaintenanceItem.init)))
        } else {
            let lines = windows.map {
                WindowLine(id: $0.id, match: $0.shownMatch, from: $0.from, to: $0.to, note: $0.note)
            }
            try printData(windowTable(lines, style: .detect(descriptor: STDOUT_FILENO)))
        }
    }
}

/// A window that was begun by hand, as `--json` prints it.
struct MaintenanceItem: Encodable {
    var id: Int
    var match: [String]
    var from: String
    var to: String
    var note: String

    init(_ window: AdHocWindow) {
        (id, match, note) = (window.id, window.words, window.note)
        (from, to) = (window.from.description, window.to.description)
    }
}
