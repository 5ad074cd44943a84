import Foundation
import Glibc
import Synchronization

/// A TCP server on loopback whose every connection does what a script says, on a thread of its own.
package final class ConnectionServer: Sendable {
    package let port: Int
    private let listener: Listener
    private let accepted = Counter()
    private let open = Watched(0)

    /// How many connections came so far.
    package var connections: Int { accepted.value }

    /// Returns once no connection is open any more.
    package func untilQuiet() async throws { try await open.until { $0 == 0 } }

    /// `isInline` runs the script on the accepting thread, so the connections come one after another.
    package init(
        address: String = "127.0.0.1", port: Int = 0, isInline: Bool = false, _ script: @escaping @Sendable (Connection) -> Void
    ) throws {
        let bound = try boundSocket(address, port: port)
        (listener, self.port) = (Listener(descriptor: bound.descriptor), bound.port)
        guard listen(bound.descriptor, 4096) == 0 else { throw SupportError.system("listen") }
        Thread.detachNewThread { [listener, accepted, open] in
            while true {
                let client = accept(listener.descriptor, nil, nil)
                guard client >= 0 else { return }
                // A program that a test starts meanwhile would keep the connection open for as long as it takes to start.
                _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                accepted.next()
                open.change { $0 += 1 }
                let serve = { @Sendable in
                    let connection = Connection(descriptor: client)
                    script(connection)
                    connection.close()
                    open.change { $0 -= 1 }
                }
                if isInline { serve() } else { Thread.detachNewThread(serve) }
            }
        }
    }

    /// Nobody is let in any more, and the accepting thread ends.
    deinit { shutdown(listener.descriptor, Int32(SHUT_RDWR)) }

    package func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }
}

/// Open as long as the server or its accepting thread has it: neither can meet another's socket under the same number.
private final class Listener: Sendable {
    let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }
}

package final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    package init() {}

    package var value: Int { count.load(ordering: .acquiring) }

    @discardableResult
    package func next() -> Int { count.add(1, ordering: .acquiringAndReleasing).newValue }
}
