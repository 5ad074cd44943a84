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

    @Test func onJournaldALineBeginsWithItsPriorityAndHasNoTimeOfItsOwn() {
        let lines = Lines()
        for format in [StandardErrorLog.Format.text, .json] {
            let log = StandardErrorLog(format: format, level: LogLevel(.debug), isJournal: true) { lines.add($0) }
            let logger = Logger(label: "t") { _ in log }
            logger.error("it broke", metadata: ["k": "v"])
            logger.notice("ok")
            logger.debug("hm")
        }
        #expect(lines.all.prefix(3) == ["<3>it broke k=v", "<5>ok", "<7>hm"])
        #expect(lines.all.dropFirst(3).map { String($0.prefix(11)) } == ["<3>{\"time\":", "<5>{\"time\":", "<7>{\"time\":"])
    }

    @Test func onePlaceMayWriteSoMuchAndWhatIsLeftOutIsSaidOnce() {
        let lines = Lines()
        let later = Mutex<[@Sendable () -> Void]>([])
        let start = ContinuousClock.now
        let passed = Mutex(Duration.zero)
        let rate = LogRate(now: { start + passed.withLock { $0 } }, later: { _, body in later.withLock { $0.append(body) } })
        let logger = Logger(label: "t") { _ in
            StandardErrorLog(format: .text, level: LogLevel(.info), isJournal: true, rate: rate) { lines.add($0) }
        }
        func flood() { for number in 0..<250 { logger.warning("line \(number)") } }
        flood()
        logger.notice("another place")
        #expect(lines.all.count == 101)
        for body in later.withLock(\.self) { body() }
        #expect(lines.all.last == "<4>150 more lines like the last of these are left out: they came too fast")
        // A new window, and then one in which it is quiet.
        passed.withLock { $0 = .seconds(11) }
        flood()
        #expect(lines.all.count == 202)
    }

    @Test func standardErrorIsTheJournalOnlyWhereItIs() {
        #expect(!isStandardErrorJournal(nil))
        #expect(!isStandardErrorJournal("8:1"))
    }
}
