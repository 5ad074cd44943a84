import Glibc

/// A listening socket that the service manager holds and hands on at each start, so that a restart refuses nobody: sd_listen_fds(3)'s protocol.
package enum InheritedSocket {
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

    /// Takes and closes who waits, for a process that ends without having served: the service manager would start it again at once for the
    /// same connection, twenty times, and then give the socket up (systemd.socket(5), TriggerLimitBurst=).
    package static func turnAway(environment: (String) -> String?) {
        guard let listener = take(environment: environment) else { return }
        while case let connection = accept(listener, nil, nil), connection >= 0 { close(connection) }
    }

    private static func isListening(_ descriptor: CInt) -> Bool {
        var (answer, size): (CInt, socklen_t) = (0, socklen_t(MemoryLayout<CInt>.size))
        return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &answer, &size) == 0 && answer == 1
    }
}
