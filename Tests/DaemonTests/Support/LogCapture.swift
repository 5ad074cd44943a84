import Daemon
import Logging
import TestSupport

/// Log lines as the daemon wrote them, and a way to wait for one.
final class LogCapture: Sendable {
    private let written = Watched<[String]>([])

    var lines: [String] { written.value }

    /// Returns once a line that holds `text` was written, before or after this call.
    func until(_ text: String) async throws {
        try await written.until { lines in lines.contains { $0.contains(text) } }
    }

    func logger(_ level: LogLevel) -> Logger {
        Logger(label: "test") { [written] _ in
            StandardErrorLog(format: .text, level: level) { line in written.change { $0.append(line) } }
        }
    }
}
