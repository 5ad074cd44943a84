import Dispatch
import Foundation
import Glibc
import TestSupport

/// A connection whose other side hears everything a while later.
final class SlowedConnection: Sendable {
    /// What it sends is passed on after the pause.
    let connection: Connection

    init(_ outer: Connection, by pause: Duration) throws {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw SupportError.system("socketpair")
        }
        connection = Connection(descriptor: ends[0])
        let inner = Connection(descriptor: ends[1])
        Thread.detachNewThread { while let bytes = outer.readBytes(), inner.send(bytes) {} }
        Thread.detachNewThread {
            while let bytes = inner.readBytes() {
                _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .nanoseconds(Int(pause / .nanoseconds(1))))
                outer.send(bytes)
            }
            inner.close()
        }
    }

    deinit { connection.close() }
}

/// A listener whose queue is full, so that the next SYN is lost.
final class FullListener: Sendable {
    let port: Int
    private let descriptor: Int32
    private let filler: Connection
    private let allAccepted = DispatchSemaphore(value: 0)

    init() throws {
        (descriptor, port) = try boundSocket("127.0.0.1")
        listen(descriptor, 0)
        filler = try Connection(port: port)
    }

    deinit {
        filler.close()
        close(descriptor)
    }

    /// Empties the queue, and answers the request that comes.
    func answerAll() {
        Thread.detachNewThread { [self] in
            let clients = (0..<2).map { _ in Connection(descriptor: accept(descriptor, nil, nil)) }
            allAccepted.signal()
            // The queue gives them in the order in which they came.
            clients[1].answer()
            clients.forEach { $0.close() }
        }
    }

    /// Keeps the calling thread until a while after the last connection stands.
    func holdUntilAllAreAccepted() {
        allAccepted.wait()
        _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(300))
    }
}
