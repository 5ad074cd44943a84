import Foundation
import Glibc
import Synchronization
import TestSupport

/// The built program, as a person runs it.
struct Program: Sendable {
    struct Ended: Sendable {
        var code: Int32
        var output: String
        var errors: String
    }

    /// Beside the tests: both are built into the same folder.
    static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(".build/debug/rangefinder").path

    /// Runs to the end.
    static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Ended {
        let running = try RunningProgram(arguments, environment: environment)
        let code = await running.ended()
        return Ended(code: code, output: running.output.text, errors: running.errors.text)
    }
}

/// A program that runs until it is told to stop.
final class RunningProgram: Sendable {
    let output = Gathered()
    let errors = Gathered()
    var processID: Int32 { process.processID }
    private let process: ChildProcess
    private let exit: AsyncStream<Int32>
    private let isRunning = Mutex(true)

    /// - Parameter shell: what bash does first, in this process, as in `ulimit -n 64`.
    init(_ arguments: [String], environment: [String: String] = [:], shell: String? = nil) throws {
        let process =
            if let shell {
                try ChildProcess(
                    "bash", ["-c", shell + "; exec \"$0\" \"$@\"", Program.path] + arguments, environment: environment,
                    errors: .apart)
            } else {
                try ChildProcess(Program.path, arguments, environment: environment, errors: .apart)
            }
        self.process = process
        process.endInput()
        let (exit, announce) = AsyncStream.makeStream(of: Int32.self)
        self.exit = exit
        let gathering = DispatchGroup()
        for (gathered, next) in [(output, process.readOutput), (errors, process.readErrors)] {
            gathering.enter()
            Thread.detachNewThread {
                gathered.gather(next)
                gathering.leave()
            }
        }
        Thread.detachNewThread { [weak self] in
            let status = process.waitForEnd()
            self?.isRunning.withLock { $0 = false }
            gathering.wait()
            announce.yield(status)
            announce.finish()
        }
    }

    /// A test that failed half-way leaves nothing running.
    deinit { isRunning.withLock { if $0 { kill(processID, SIGKILL) } } }

    func send(_ signal: Int32) { kill(processID, signal) }

    /// The port that it says behind `text`, once it has said it.
    func port(after text: String) async throws -> Int {
        guard let port = try await errors.number(after: text) else { throw SupportError(errors.text) }
        return port
    }

    /// The exit code, or the negative number of the signal that ended it; all output has been read by then.
    func ended() async -> Int32 { await exit.first { _ in true } ?? -1 }
}

/// What came out of a pipe, and a way to wait for a part of it.
final class Gathered: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isEnded = false

        func contains(_ text: String) -> Bool { String(decoding: bytes, as: UTF8.self).contains(text) }

        /// Only where something follows: a pipe may end a part in the middle of a number.
        func number(after text: String) -> Int? {
            guard let tail = String(decoding: bytes, as: UTF8.self).components(separatedBy: text).dropFirst().last else {
                return nil
            }
            let digits = tail.prefix { $0.isNumber }
            return digits.endIndex == tail.endIndex ? nil : Int(digits)
        }
    }

    private let state = Watched(State())

    var text: String { String(decoding: state.value.bytes, as: UTF8.self) }

    /// Returns once `text` has come; false when the pipe ended without it.
    func until(_ text: String) async throws -> Bool {
        try await state.until { $0.isEnded || $0.contains(text) }
        return state.value.contains(text)
    }

    /// The number that came right behind `text`, once it is whole; nil when the pipe ended without one.
    func number(after text: String) async throws -> Int? {
        try await state.until { $0.isEnded || $0.number(after: text) != nil }
        return state.value.number(after: text)
    }

    func gather(_ next: () -> [UInt8]?) {
        while let more = next() { state.change { $0.bytes += more } }
        state.change { $0.isEnded = true }
    }
}
