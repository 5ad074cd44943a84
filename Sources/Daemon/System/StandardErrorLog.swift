import Health
package import Logging
import Settings
import Synchronization

/// Log lines on standard error, as text for people or as JSON, one line each. Everything in a line is shown safely.
///
/// On journald each begins with its priority (sd-daemon(3)), and as text has no time, because journald has its own.
package struct StandardErrorLog: LogHandler {
    package enum Format: Hashable, Sendable { case text, json }

    package var metadata: Logger.Metadata = [:]
    /// The level that this logger was given; nil follows ``LogLevel``.
    private var ownLevel: Logger.Level?
    private let level: LogLevel
    private let format: Format
    private let isJournal: Bool
    private let rate: LogRate?
    private let write: @Sendable (String) -> Void

    /// - Parameter rate: bounds how many lines one place in the code may write; shared by all loggers.
    package init(
        format: Format, level: LogLevel, isJournal: Bool = false, rate: LogRate? = nil,
        write: @escaping @Sendable (String) -> Void = { LogSink.standardError.write($0) }
    ) {
        self.format = format
        self.level = level
        (self.isJournal, self.rate) = (isJournal, rate)
        self.write = write
    }

    package var logLevel: Logger.Level {
        get { ownLevel ?? level.current }
        set { ownLevel = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let callSite = "\(event.file):\(event.line)"
        guard rate?.admits(callSite, leftOut: { left($0, out: event.level) }) ?? true else { return }
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
            .map { ($0.key, displayText("\($0.value)", limit: 1024)) }
        let message = displayText(event.message.description, limit: 4096)
        write(line(event.level, message, fields))
    }

    private func line(_ level: Logger.Level, _ message: String, _ fields: [(String, String)]) -> String {
        let (time, priority) = (Timestamp.now(), isJournal ? "<\(level.priority)>" : "")
        switch format {
        case .text:
            let tail = fields.map { " \($0)=\(quoted($1))" }.joined()
            return priority + (isJournal ? "" : "\(time) \(level) ") + "\(message)\(tail)"
        case .json:
            let pairs = [("time", time.description), ("level", level.rawValue), ("message", message)] + fields
            return priority + "{" + pairs.map { "\(jsonText($0)):\(jsonText($1))" }.joined(separator: ",") + "}"
        }
    }

    private func left(_ count: Int, out level: Logger.Level) {
        write(
            line(
                level,
                "\(counted(count, "more line like the last of these is", "more lines like the last of these are")) left out: they came too fast",
                []))
    }

    private func quoted(_ text: String) -> String {
        text.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) || text.isEmpty ? jsonText(text) : text
    }

    /// Control characters are gone already: ``displayText(_:limit:)`` has been over the text.
    private func jsonText(_ text: String) -> String {
        var quoted = "\""
        for character in text.unicodeScalars {
            if character == "\"" || character == "\\" { quoted += "\\" }
            quoted.unicodeScalars.append(character)
        }
        return quoted + "\""
    }
}

/// The level of all loggers, which a reload can change.
package final class LogLevel: Sendable {
    private let level: Mutex<Logger.Level>
    package init(_ level: Logger.Level) { self.level = Mutex(level) }
    package var current: Logger.Level {
        get { level.withLock { $0 } }
        set { level.withLock { $0 = newValue } }
    }
}

extension Logger.Level {
    /// Of syslog(3), by which journald sorts.
    fileprivate var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
