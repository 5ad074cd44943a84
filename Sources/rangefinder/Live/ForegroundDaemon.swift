import Daemon
import Glibc
import Health
import History
import Logging
import Settings
import Terminal

/// A whole daemon in the foreground, with a table of what it sees. Its log goes to a file, because the table has the screen.
struct ForegroundDaemon {
    let directory: StateDirectory
    let style: TerminalStyle
    /// The history before its start is made up.
    var isSample = false
    private let level = LogLevel(.info)

    init(directory: StateDirectory, style: TerminalStyle, isSample: Bool = false) {
        (self.directory, self.style, self.isSample) = (directory, style, isSample)
    }

    var logPath: String { directory.file("rangefinder.log") }
    var historyPath: String { directory.file("history.db") }

    /// Until the daemon ends, or nobody reads any more.
    ///
    /// - Parameters:
    ///   - handlesSignals: false where another group of services does.
    ///   - footer: what stands below the table, by the port of the pages.
    func run(
        _ settings: Settings, handlesSignals: Bool, footer: @escaping @Sendable (_ pagesPort: Int) -> [String]
    ) async throws {
        let pages = Later()
        let context = Daemon.Context(
            surroundings: Rangefinder.surroundings, version: Rangefinder.version, logger: try fileLogger(), logLevel: level,
            isSample: isSample, onListening: { _, port in pages.set(port) })
        let daemon = try openDaemon(settings, context)
        let wanted = settings.typed.map { Set($0.map(\.identity)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            // The graceful shutdown of a group around it reaches the daemon's own.
            group.addTask { try await daemon.run(handlesSignals: handlesSignals) }
            group.addTask { [historyPath, style] in
                guard let port = await pages.value() else { return }
                let reader = try HistoryReader.open(path: historyPath)
                try await LiveTable(footer: footer(port), style: style) {
                    // A history that is kept has the targets of the last time until the list is taken.
                    try StatusSelection.worstFirst(try reader.statuses().filter { wanted?.contains($0.target.identity) ?? true })
                        .map { StatusRow($0) }
                }
                .draw()
                // Nobody looks on any more.
                await daemon.shutDown()
            }
            // Whichever ends first ends both.
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func fileLogger() throws -> Logger {
        let descriptor = open(logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(.internal, "the log can't be written in \(displayText(directory.path))") }
        let (sink, level) = (LogSink(descriptor: descriptor), level)
        return Logger(label: "rangefinder") { _ in
            StandardErrorLog(format: .text, level: level) { sink.write($0) }
        }
    }
}
