import Glibc

/// A listening socket that the service manager holds and hands on at each start, so that a restart refuses nobody: sd_listen_fds(3)'s protocol.
enum InheritedSocket {
    /// Theirs come after standard input, output and error.
    private static let first: CInt = 3

    /// The first of them; nil when there is none for this process. It isn't inherited further.
    static func take(environment: (String) -> String?) -> CInt? {
        guard environment("LISTEN_PID") == "\(getpid())", let count = environment("LISTEN_FDS").flatMap({ Int($0) }), count > 0,
            isListening(first)
        else { return nil }
        _ = fcntl(first, F_SETFD, FD_CLOEXEC)
        _ = fcntl(first, F_SETFL, fcntl(first, F_GETFL) | O_NONBLOCK)
        return first
    }

    private static func isListening(_ descriptor: CInt) -> Bool {
        var (answer, size): (CInt, socklen_t) = (0, socklen_t(MemoryLayout<CInt>.size))
        return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &answer, &size) == 0 && answer == 1
    }
}
