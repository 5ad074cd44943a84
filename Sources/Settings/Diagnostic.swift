import Health

/// One thing that is wrong with a configuration file, and where.
package struct Diagnostic: Hashable, Sendable {
    package enum Severity: Hashable, Sendable {
        case error
        /// Never stops loading.
        case warning
    }

    package var severity: Severity
    /// From 1.
    package var line: Int
    /// From 1, in Unicode scalars.
    package var column: Int
    /// Safe to show.
    package var message: String

    package init(_ severity: Severity, line: Int, column: Int, _ message: String) {
        self.severity = severity
        self.line = line
        self.column = column
        self.message = message
    }

    /// `FILE:LINE:COLUMN: message`, the form that editors understand.
    package func text(file: String) -> String {
        "\(displayText(file)):\(line):\(column): \(severity == .warning ? "warning: " : "")\(message)"
    }
}

/// Where something stands in the file; both count from 1.
struct SourceLocation: Hashable, Comparable {
    var line: Int
    var column: Int

    static let start = SourceLocation(line: 1, column: 1)

    static func < (a: Self, b: Self) -> Bool { (a.line, a.column) < (b.line, b.column) }
}

/// Collects what is wrong while the rest is read on.
final class Diagnostics {
    /// Nobody reads further, and a hostile file must not fill the memory.
    private static let limit = 200

    private var diagnostics: [Diagnostic] = []
    private(set) var hasErrors = false

    var count: Int { diagnostics.count }
    /// Whether there is no room for more.
    var isFull: Bool { diagnostics.count > Self.limit }

    func error(_ message: String, at location: SourceLocation) {
        hasErrors = true
        add(.error, message, location)
    }

    func warning(_ message: String, at location: SourceLocation) { add(.warning, message, location) }

    private func add(_ severity: Diagnostic.Severity, _ message: String, _ location: SourceLocation) {
        guard !isFull else { return }
        let text = diagnostics.count == Self.limit ? "too many problems; the rest is not shown" : message
        diagnostics.append(Diagnostic(severity, line: location.line, column: location.column, text))
    }

    var sorted: [Diagnostic] {
        diagnostics.enumerated()
            .sorted { ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset) }
            .map(\.element)
    }
}
