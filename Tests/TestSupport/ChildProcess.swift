import Glibc

/// A program run beside the test, without Foundation: its `Process.run()` reads past the end of a directory entry (seen to crash where
/// a process has more than a thousand descriptors open, as this suite's has at times).
package final class ChildProcess: Sendable {
    private let pid: pid_t
    /// The other end of the child's standard input and output. A socket, because only that is closed in other children from the first
    /// moment on, wherever they are started meanwhile.
    private let descriptor: Int32

    /// What it says on standard error is thrown away.
    package init(_ program: String, _ arguments: [String], in folder: String) throws {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw SupportError.system("socketpair")
        }
        descriptor = ends[0]
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        let words = ["/bin/bash", "-c", Self.preparation, folder, program] + arguments
        var texts = words.map { strdup($0) } + [nil]
        defer { texts.forEach { free($0) } }
        var made = pid_t()
        let error = posix_spawn(&made, "/bin/bash", &actions, nil, &texts, environ)
        pid = made
        guard error == 0 else { throw SupportError("\(program): errno \(error)") }
    }

    /// Sockets that a server has just accepted are inherited, and one that a child keeps open never closes for its client.
    private static let preparation = #"""
        for descriptor in /proc/self/fd/*; do
            descriptor=${descriptor##*/}
            if ((descriptor > 2)); then eval "exec $descriptor>&-"; fi
        done
        cd "$0" && exec "$@"
        """#

    /// The next of its standard output; none when it has closed that.
    package func readSome() -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    /// Waits for its end, and answers whether it ended by itself with exit code 0.
    package func succeeds() -> Bool {
        while readSome() != nil {}
        var status: Int32 = 0
        return waitpid(pid, &status, 0) == pid && status == 0
    }

    /// Ends it, whatever it does.
    package func end() {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    deinit { close(descriptor) }
}
