package import Glibc

/// A program run beside the test, without Foundation: its `Process.run()` reads past the end of a directory entry (seen to crash where
/// a process has more than a thousand descriptors open, as this suite's has at times).
package final class ChildProcess: Sendable {
    package struct Ended: Sendable {
        /// The exit code, or the negative number of the signal that ended it.
        package let status: Int32
        package let output: String
        package let errors: String
    }

    package enum Errors: Sendable { case thrownAway, apart, withOutput }

    package let processID: pid_t
    private let input: Int32
    private let output: Int32
    private let errors: Int32

    /// The program is looked for as a shell does, and it must be one of ``KnownPrograms``. `environment` is what differs from the test's own.
    package init(
        _ program: String, _ arguments: [String] = [], in folder: String? = nil, environment: [String: String] = [:],
        errors: Errors = .thrownAway
    ) throws {
        try KnownPrograms.check(program, arguments)
        let (childsInput, childsOutput) = (try Pipe(), try Pipe())
        let childsErrors = errors == .apart ? try Pipe() : nil
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, childsInput.out, 0)
        posix_spawn_file_actions_adddup2(&actions, childsOutput.in, 1)
        switch errors {
        case .thrownAway: posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        case .apart: posix_spawn_file_actions_adddup2(&actions, childsErrors?.in ?? -1, 2)
        case .withOutput: posix_spawn_file_actions_adddup2(&actions, childsOutput.in, 2)
        }
        var words = (["/bin/bash", "-c", Self.preparation, folder ?? ".", program] + arguments).map { strdup($0) } + [nil]
        var variables = ownEnvironment().merging(environment) { $1 }.map { strdup("\($0)=\($1)") } + [nil]
        defer { (words + variables).forEach { free($0) } }
        var made = pid_t()
        let error = posix_spawn(&made, "/bin/bash", &actions, nil, &words, &variables)
        guard error == 0 else { throw SupportError("\(program): \(String(cString: strerror(error)))") }
        processID = made
        input = childsInput.keepIn()
        output = childsOutput.keepOut()
        self.errors = childsErrors?.keepOut() ?? -1
    }

    /// Sockets that a server has just accepted are inherited, and one that a child keeps open never closes for its client.
    private static let preparation = #"""
        for descriptor in /proc/self/fd/*; do
            descriptor=${descriptor##*/}
            if ((descriptor > 2)); then eval "exec $descriptor>&-"; fi
        done
        cd "$0" && exec "$@"
        """#

    deinit { for descriptor in [input, output, errors] where descriptor >= 0 { close(descriptor) } }

    /// Runs to the end; blocks the calling thread meanwhile.
    package static func run(
        _ program: String, _ arguments: [String] = [], in folder: String? = nil, environment: [String: String] = [:],
        input: [UInt8] = [], errors: Errors = .withOutput
    ) throws -> Ended {
        let process = try ChildProcess(program, arguments, in: folder, environment: environment, errors: errors)
        let (output, errors) = process.exchange(input)
        return Ended(
            status: process.waitForEnd(), output: String(decoding: output, as: UTF8.self),
            errors: String(decoding: errors, as: UTF8.self))
    }

    /// Each way as it can: what is written and what is read may be more than a pipe takes.
    private func exchange(_ bytes: [UInt8]) -> (output: [UInt8], errors: [UInt8]) {
        var rest = bytes[...]
        var (read, open) = ([Int32: [UInt8]](), Set([output, errors].filter { $0 >= 0 }))
        if rest.isEmpty { endInput() }
        while !open.isEmpty {
            let (wanted, isWriting) = (Array(open), !rest.isEmpty)
            var polls = wanted.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            if isWriting { polls.append(pollfd(fd: input, events: Int16(POLLOUT), revents: 0)) }
            guard poll(&polls, nfds_t(polls.count), -1) > 0 else { continue }
            if isWriting, polls[wanted.count].revents != 0 {
                let count = sendSome(rest, waits: false)
                rest = count > 0 ? rest.dropFirst(count) : []
                if rest.isEmpty { endInput() }
            }
            for (descriptor, poll) in zip(wanted, polls) where poll.revents != 0 {
                if let more = readSome(descriptor) { read[descriptor, default: []] += more } else { open.remove(descriptor) }
            }
        }
        return (read[output] ?? [], read[errors] ?? [])
    }

    /// Nothing more comes on its standard input.
    package func endInput() { shutdown(input, Int32(SHUT_WR)) }

    /// Some of its standard input.
    package func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = sendSome(rest)
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private func sendSome(_ bytes: ArraySlice<UInt8>, waits: Bool = true) -> Int {
        let flags = Int32(MSG_NOSIGNAL) | (waits ? 0 : Int32(MSG_DONTWAIT))
        return bytes.withUnsafeBytes { Glibc.send(input, $0.baseAddress, $0.count, flags) }
    }

    /// The next of its standard output; none when it has closed that.
    package func readOutput() -> [UInt8]? { readSome(output) }

    /// The same of standard error, where that is apart.
    package func readErrors() -> [UInt8]? { readSome(errors) }

    private func readSome(_ descriptor: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(descriptor, &buffer, buffer.count)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    /// The exit code, or the negative number of the signal that ended it. Once.
    package func waitForEnd() -> Int32 {
        var status: Int32 = 0
        guard waitpid(processID, &status, 0) == processID else { return -1 }
        // wait(2): the signal is in the lower seven bits, the code in the second byte.
        return status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
    }

    /// Ends it, whatever it does.
    package func end() {
        kill(processID, SIGKILL)
        _ = waitForEnd()
    }
}

private func ownEnvironment() -> [String: String] {
    var all: [String: String] = [:]
    var place = environ
    while let entry = place.pointee {
        let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 { all[String(parts[0])] = String(parts[1]) }
        place += 1
    }
    return all
}

/// A socket at each end, because only that is closed in other children from the first moment on, wherever they are started meanwhile.
private final class Pipe {
    private(set) var `in`: Int32
    private(set) var out: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw SupportError.system("socketpair")
        }
        (`in`, out) = (ends[0], ends[1])
    }

    deinit { for end in [`in`, out] where end >= 0 { close(end) } }

    func keepIn() -> Int32 {
        defer { `in` = -1 }
        return `in`
    }

    func keepOut() -> Int32 {
        defer { out = -1 }
        return out
    }
}
