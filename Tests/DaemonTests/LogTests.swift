import Daemon
import Logging
import Synchronization
import Testing

@Suite struct LogTests {
    private func line(_ format: StandardErrorLog.Format, _ log: (Logger) -> Void) -> String {
        let lines = Lines()
        log(Logger(label: "t") { _ in StandardErrorLog(format: format, level: LogLevel(.info)) { lines.add($0) } })
        return lines.all.joined(separator: "\n")
    }

    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    @Test func textHasTimeLevelMessageAndFieldsInOrder() throws {
        let text = line(.text) { $0.warning("it happened", metadata: ["b": "two words", "a": "1"]) }
        #expect(text.hasSuffix("Z warning it happened a=1 b=\"two words\""))
    }

    @Test func jsonIsOneObjectALine() {
        let text = line(.json) { $0.error("say \"no\" \\", metadata: ["k": "v"]) }
        #expect(text.hasPrefix("{\"time\":\""))
        #expect(text.hasSuffix("\"level\":\"error\",\"message\":\"say \\\"no\\\" \\\\\",\"k\":\"v\"}"))
    }

    @Test(arguments: [StandardErrorLog.Format.text, .json])
    func foreignTextCantForgeALine(format: StandardErrorLog.Format) {
        let text = line(format) { $0.info("name\n2026 error forged\u{1B}[2J", metadata: ["x": "a\nb"]) }
        #expect(!text.contains("\n") && !text.contains("\u{1B}"))
        #expect(text.contains("\\u{a}") || text.contains("\\\\u{a}"))
    }

    @Test func theLevelCanChangeWhileLoggersLive() {
        let lines = Lines()
        let level = LogLevel(.info)
        let logger = Logger(label: "t") { _ in StandardErrorLog(format: .text, level: level) { lines.add($0) } }
        logger.debug("unseen")
        level.current = .debug
        logger.debug("seen")
        #expect(lines.all.count == 1)
    }
}
