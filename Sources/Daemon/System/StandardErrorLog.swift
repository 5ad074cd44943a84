import Health
package import Logging
import Settings
import Synchronization

/// Log lines on standard error, as text for people or as JSON, one line each. Everything in a line is shown safely.
package struct StandardErrorLog: LogHandler {
    package enum Format: Hashable, Sendable { case text, json }

    package var metadata: Logger.Metadata = [:]
    /// The level that this logger was given; nil follows ``LogLevel``.
    private var ownLevel: Logger.Level?
    private let level: LogLevel
    private let format: Format
    private let write: @Sendable (String) -> Void

    package init(
        format: Format, level: LogLevel,
        write: @escaping @Sendable (String) -> Void = { LogSink.standardError.write($0) }
    ) {
        self.format = format
        self.level = level
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
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
            .map { ($0.key, displayText("\($0.value)", limit: 1024)) }
        let message = displayText(event.message.description, limit: 4096)
        let time = Timestamp.now()
        switch format {
        case .text:
            let tail = fields.map { " \($0)=\(quoted($1))" }.joined()
            write("\(time) \(event.level) \(message)\(tail)")
        case .json:
            let pairs = [("time", time.description), ("level", event.level.rawValue), ("message", message)] + fields
            write("{" + pairs.map { "\(jsonText($0)):\(jsonText($1))" }.joined(separator: ",") + "}")
        }
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
