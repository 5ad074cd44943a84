import Daemon
import Logging
import Synchronization

/// Log lines as the daemon wrote them, and a way to wait for one: what tests await instead of sleeping.
final class LogCapture: Sendable {
    private struct Waiter {
        var text: String
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var lines: [String] = []
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    var lines: [String] { state.withLock(\.lines) }

    /// Returns once a line that holds `text` was written, before or after this call.
    func until(_ text: String) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                let isThere = state.lines.contains { $0.contains(text) }
                if !isThere { state.waiters.append(Waiter(text: text, continuation: continuation)) }
                return isThere
            }
            if isThere { continuation.resume() }
        }
    }

    func logger(_ level: LogLevel) -> Logger {
        Logger(label: "test") { _ in
            StandardErrorLog(format: .text, level: level) { self.write($0) }
        }
    }

    private func write(_ line: String) {
        let awake = state.withLock { state in
            state.lines.append(line)
            let awake = state.waiters.filter { line.contains($0.text) }
            state.waiters.removeAll { line.contains($0.text) }
            return awake
        }
        awake.forEach { $0.continuation.resume() }
    }
}
