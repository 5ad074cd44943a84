import Daemon
import Glibc
import History
import Logging
import ServiceLifecycle
import Terminal
import UnixSignals

/// The table of `status`, drawn again and again.
struct LiveTable: Sendable {
    /// What stands below the table where there is room.
    let footer: [String]
    let style: TerminalStyle
    /// What stands in place of a table without a row, and above every table.
    var remarks: @Sendable (_ isEmpty: Bool) -> [String] = { $0 ? ["No result yet."] : [] }
    let rows: @Sendable () throws -> [StatusRow]

    /// Until the task is cancelled, or nobody reads any more.
    func draw() async throws {
        try await cancelWhenGracefulShutdown {
            var screen = LiveScreen(style: style)
            var looks = 0
            while !Task.isCancelled {
                looks += 1
                let rows = try rows()
                screen.style = .detect(descriptor: STDOUT_FILENO)
                // To a pipe an empty table says nothing.
                if isWorthPrinting(rows, isStart: looks < Self.looksAtStart, screen.style) {
                    try printData(screen.frame(text(rows, screen.style)))
                }
                // Who looked on has gone, as in `rangefinder demo | head`.
                guard StandardOutput.hasReader else { return }
                try? await Task.sleep(for: pause(after: rows, isStart: looks < Self.looksAtStart, screen.style))
            }
            try printData(screen.end())
        }
    }

    /// What goes to a pipe stays there: the first table waits for the first results.
    private func isWorthPrinting(_ rows: [StatusRow], isStart: Bool, _ style: TerminalStyle) -> Bool {
        style.isInteractive || !rows.isEmpty && !(isStart && rows.contains { $0.lastProbe == nil })
    }

    /// A pipe gets a table now and then, a person sees it move, and the first results at once.
    private func pause(after rows: [StatusRow], isStart: Bool, _ style: TerminalStyle) -> Duration {
        if isStart, rows.isEmpty { return .milliseconds(50) }
        if isStart, rows.contains(where: { $0.lastProbe == nil }) { return .milliseconds(200) }
        return rows.isEmpty || style.isInteractive ? .seconds(1) : .seconds(10)
    }

    private static let looksAtStart = 60

    /// In a small window the footer gives way to the targets.
    private func text(_ rows: [StatusRow], _ style: TerminalStyle) -> String {
        let footer = footer.flatMap { line in
            style.isCut && displayWidth(line) > style.width ? wrapped(line, to: style.width) : [line]
        }
        let remarks = remarks(rows.isEmpty)
        let height = style.height - remarks.count
        let hasRoom = !style.isInteractive || height >= rows.count + footer.count + 5
        let room = max(1, height - 5 - (hasRoom ? footer.count : min(2, footer.count)))
        let table =
            rows.isEmpty ? "" : statusTable(rows: rows, now: .now(), style: style, limit: style.isInteractive ? room : .max)
        // Where the pages are is the last that gives way.
        let below = hasRoom ? footer : Array(footer.prefix(1))
        return remarks.map { $0 + "\n" }.joined() + table
            + (below.isEmpty ? "" : "\n" + below.joined(separator: "\n") + "\n")
    }
}

/// Runs `body`, and ends it at the first SIGINT, SIGTERM or SIGHUP.
func endingAtInterrupt(_ body: @escaping @Sendable () async throws -> Void) async throws {
    var configuration = ServiceGroupConfiguration(
        services: [.init(service: ClosureService(body), successTerminationBehavior: .gracefullyShutdownGroup)],
        gracefulShutdownSignals: [.sigterm, .sigint, .sighup], logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() }
    )
    configuration.maximumGracefulShutdownDuration = .seconds(2)
    try await ServiceGroup(configuration: configuration).run()
}
