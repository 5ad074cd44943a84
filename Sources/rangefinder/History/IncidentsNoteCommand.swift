import ArgumentParser

struct IncidentsNoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "note", abstract: "Note something on an outage.",
        discussion: """
            The note is shown on the page of the incident and by `incidents show`. Reaches the daemon over its Unix socket. Exits with 69 \
            when no daemon answers.
            """)

    @Argument(help: ArgumentHelp("The incident's number, as `incidents --json` has it.", valueName: "id"))
    var id: Int64

    @Argument(help: ArgumentHelp("The note, 2,000 characters at most.", valueName: "text"))
    var text: String

    @Flag(help: "It may be shown to everybody.")
    var `public` = false

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let fields = [("incident", "\(id)"), ("text", text), ("public", `public` ? "1" : "0")]
        try await askDaemon("/-/notes", form: fields, database: try daemon.path())
    }
}
