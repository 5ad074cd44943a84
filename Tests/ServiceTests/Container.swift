import Foundation
import Glibc
import TestSupport

/// A Debian 12 with a real systemd as its first process, booted from a root that `scripts/test` prepares; what happens in it is gone with it.
final class Container: Sendable {
    struct Answer: Sendable {
        var status: Int32
        var output: String
        var lines: [Substring] { output.split(separator: "\n") }
    }

    private let nspawn: ChildProcess
    /// The container's first process, as the host numbers it.
    private let initial: pid_t
    let folder: TemporaryFolder

    /// Boots, and returns once systemd runs.
    static func boot() async throws -> Container {
        guard let root = ProcessInfo.processInfo.environment["RANGEFINDER_CONTAINER_ROOT"] else {
            throw SupportError("RANGEFINDER_CONTAINER_ROOT is not set")
        }
        let folder = try TemporaryFolder()
        let nspawn = try ChildProcess(
            "systemd-nspawn",
            [
                "--quiet", "--directory=\(root)", "--volatile=overlay", "--boot", "--register=no", "--keep-unit",
                "--private-network",
                "--console=pipe", "--machine=rangefinder-test-\(getpid())", "--bind=\(folder.path):/exchange",
            ], environment: ["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"])
        nspawn.endInput()
        // What it says while it boots must not fill its pipe.
        Thread.detachNewThread { while nspawn.readOutput() != nil {} }
        while true {
            try Task.checkCancellation()
            let child = try ChildProcess.run("pgrep", ["-P", "\(nspawn.processID)"]).output.split(separator: "\n").first
            guard let initial = child.flatMap({ pid_t($0) }) else { continue }
            let container = Container(nspawn, initial, folder)
            let state = try await container.run("systemctl is-system-running").output
            if ["running\n", "degraded\n"].contains(state) { return container }
        }
    }

    private init(_ nspawn: ChildProcess, _ initial: pid_t, _ folder: TemporaryFolder) {
        (self.nspawn, self.initial, self.folder) = (nspawn, initial, folder)
    }

    /// The first process takes all others of its container with it; without it nspawn has nothing left to watch.
    func end() {
        kill(initial, SIGKILL)
        nspawn.end()
    }

    /// Runs a command by its shell, as root.
    func run(_ command: String, input: String = "") async throws -> Answer {
        let process = initial
        let ended = try await onThread {
            try ChildProcess.run("nsenter", ["-t", "\(process)", "-a", "/bin/sh", "-c", command], input: Array(input.utf8))
        }
        return Answer(status: ended.status, output: ended.output)
    }

    /// Runs a command that must succeed.
    @discardableResult
    func must(_ command: String, input: String = "") async throws -> String {
        let answer = try await run(command, input: input)
        guard answer.status == 0 else {
            throw SupportError("\(command): \(answer.status)\n\(answer.output)\n\(try await journal())")
        }
        return answer.output
    }

    func write(_ text: String, to path: String) async throws { try await must("cat >\(path)", input: text) }

    /// Asks again and again until the output of a command is as it should be.
    func until(_ command: String, _ isRight: @Sendable (String) -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(90)
        var last = ""
        while true {
            last = try await run(command).output
            if isRight(last) { return }
            guard ContinuousClock.now < deadline else {
                throw SupportError("\(command): still \(last)\n\(try await journal())")
            }
        }
    }

    func until(_ command: String, says text: String) async throws { try await until(command) { $0.contains(text) } }

    func journal() async throws -> String { try await run("journalctl -u rangefinder -o cat --no-pager | tail -n 60").output }

    /// A property of the service.
    func property(_ name: String) async throws -> String {
        try await must("systemctl show rangefinder.service --property=\(name) --value").trimmingCharacters(
            in: .whitespacesAndNewlines)
    }

    /// The thread of this name of the service's main process, as the host numbers it.
    func thread(_ name: String) async throws -> pid_t {
        let pid = try await property("MainPID")
        for entry in try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap({ pid_t($0) }) {
            guard let status = try? String(contentsOfFile: "/proc/\(entry)/status", encoding: .utf8),
                let numbers = status.split(separator: "\n").first(where: { $0.hasPrefix("NSpid:") })?.split(
                    whereSeparator: \.isWhitespace),
                numbers.count == 3, numbers[2] == pid, status.hasPrefix("Name:\trangefinder\n")
            else { continue }
            for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(entry)/task") {
                let comm = try? String(contentsOfFile: "/proc/\(entry)/task/\(thread)/comm", encoding: .utf8)
                if comm == name + "\n", let number = pid_t(thread) { return number }
            }
        }
        throw SupportError("there is no thread \(name) of \(pid)")
    }
}

/// Keeps one thread of a process from running, as a debugger would, until it is let go: ptrace(2), PTRACE_SEIZE and PTRACE_INTERRUPT.
final class FrozenThread: Sendable {
    private let tracer: ChildProcess

    init(_ thread: pid_t) throws {
        let script = """
            import ctypes, signal, sys
            libc = ctypes.CDLL(None, use_errno=True)
            libc.ptrace.argtypes = [ctypes.c_long] * 4
            thread = int(sys.argv[1])
            if libc.ptrace(0x4206, thread, 0, 0) or libc.ptrace(0x4207, thread, 0, 0): sys.exit(ctypes.get_errno())
            print("frozen", flush=True)
            signal.pause()
            """
        tracer = try ChildProcess("python3", ["-c", script, "\(thread)"])
        guard tracer.readOutput() != nil else { throw SupportError("the thread \(thread) can't be frozen") }
    }

    func letGo() { tracer.end() }
}
