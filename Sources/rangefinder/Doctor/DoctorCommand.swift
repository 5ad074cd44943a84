import ArgumentParser
import Curl
import Daemon
import Glibc
import Health
import Pages
import Settings
import Terminal

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check this installation, and say what to do about each fault.",
        discussion: """
            Changes nothing. Run it as root or as the daemon's user. Other users can't read the tokens and the history. Exits with 1 when \
            it finds a fault. A warning is no fault.
            """)

    @OptionGroup var file: ConfigOption

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        var examination = Examination(config: file.named ?? ConfigOption.service)
        await examination.run()
        if json {
            try printData(try JSONEnvelope.text(kind: "doctor", at: .now(), examination.findings.map(DoctorItem.init)))
        } else {
            try printData(findingLines(examination.findings, style: .detect(descriptor: STDOUT_FILENO)))
        }
        if examination.findings.contains(where: { $0.state == .bad }) { throw ExitCode(ExitStatus.notWell.rawValue) }
    }
}

/// One thing that was looked at.
struct Finding: Hashable, Sendable {
    enum State: String, Hashable, Sendable {
        case ok, warning, bad
        /// It can't be known here, and why.
        case skipped
    }

    var check: String
    var state: State
    /// Safe to show.
    var words: String
    /// What to do, where it isn't well.
    var remedy: String?
}

struct DoctorItem: Encodable {
    var check: String
    var state: String
    var message: String
    @OrNull var remedy: String?

    init(_ finding: Finding) {
        (check, state, message, remedy) = (finding.check, finding.state.rawValue, finding.words, finding.remedy)
    }
}

/// A line each, and under one that isn't well what to do.
func findingLines(_ findings: [Finding], style: TerminalStyle) -> String {
    let width = findings.map(\.check.count).max() ?? 0
    return findings.map { finding in
        let (word, colour): (String, Colour) =
            switch finding.state {
            case .ok: ("ok", .green)
            case .warning: ("warn", .yellow)
            case .bad: ("bad", .red)
            case .skipped: ("skip", .dim)
            }
        let padding = { (text: String, width: Int) in text + String(repeating: " ", count: max(0, width - text.count)) }
        let head = style.coloured(padding(word, 4), colour) + "  " + padding(finding.check, width) + "  "
        let indent = String(repeating: " ", count: width + 8)
        let words = broken(finding.words, behind: indent, style)
        let remedy =
            finding.remedy.map {
                "\n" + indent + (style.isCut && !style.isUnicode ? "-> " : "→ ") + broken($0, behind: indent + "   ", style)
            } ?? ""
        return head + words + remedy + "\n"
    }.joined()
}

/// On a terminal in lines that fit behind their indent, where that leaves room for words.
private func broken(_ text: String, behind indent: String, _ style: TerminalStyle) -> String {
    let room = style.width - indent.count
    return style.isCut && room >= 16 ? wrapped(text, to: room).joined(separator: "\n" + indent) : text
}
