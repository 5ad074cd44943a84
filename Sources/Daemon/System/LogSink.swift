import Health
import Glibc
import Synchronization

/// Whether standard error is the journal itself: the variable names its device and inode (systemd.exec(5), JOURNAL_STREAM), and a program
/// whose standard error was turned elsewhere has it, too.
package func isStandardErrorJournal(_ journalStream: String?) -> Bool {
    var facts = stat()
    guard let journalStream, fstat(STDERR_FILENO, &facts) == 0 else { return false }
    return journalStream == "\(facts.st_dev):\(facts.st_ino)"
}

/// Writes lines to a descriptor from a thread of its own: whoever reads them may be slow or stuck, and must not stop a probe by that.
///
/// At the bound lines are dropped, and how many is said once there is room again.
package final class LogSink: Sendable {
    private struct State {
        var lines: [String] = []
        var dropped = 0
        var isWriting = false
    }

    package static let standardError = LogSink(descriptor: STDERR_FILENO)
    private static let linesMax = 10_000

    private let descriptor: Int32
    /// The two ends of a pipe: a byte in it says that there may be something to write.
    private let (waiting, wake): (Int32, Int32)
    private let state = Mutex(State())

    /// Lives as long as the process: its thread never ends.
    package init(descriptor: Int32) {
        self.descriptor = descriptor
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) == 0 {
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            // A full pipe is as good as one byte more, and whoever logs must not wait.
            _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        }
        (waiting, wake) = (ends[0], ends[1])
        var thread = pthread_t()
        let this = Unmanaged.passRetained(self)
        let body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
            if let context { Unmanaged<LogSink>.fromOpaque(context).takeUnretainedValue().run() }
            return nil
        }
        if pthread_create(&thread, nil, body, this.toOpaque()) == 0 { pthread_detach(thread) }
    }

    package func write(_ line: String) {
        state.withLock { state in
            if state.lines.count < Self.linesMax { state.lines.append(line) } else { state.dropped += 1 }
        }
        var one: UInt8 = 1
        _ = Glibc.write(wake, &one, 1)
    }

    /// Waits until everything is written, but not for long: for the end of the process.
    package func flush(atMost limit: Duration = .milliseconds(200)) {
        let end = ContinuousClock.now + limit
        while state.withLock({ $0.isWriting || !$0.lines.isEmpty }), ContinuousClock.now < end { usleep(1000) }
    }

    private func run() {
        var bytes = [UInt8](repeating: 0, count: 4096)
        while read(waiting, &bytes, bytes.count) > 0 || errno == EINTR {
            let lines = state.withLock { state in
                defer { (state.lines, state.dropped, state.isWriting) = ([], 0, true) }
                return state.dropped == 0
                    ? state.lines
                    : state.lines + ["(\(counted(state.dropped, "line of the log was", "lines of the log were")) dropped)"]
            }
            for line in lines { writeWhole(line) }
            state.withLock { $0.isWriting = false }
        }
    }

    private func writeWhole(_ line: String) {
        var rest = Array((line + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
