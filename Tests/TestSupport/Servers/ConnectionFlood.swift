import Foundation
import Synchronization

/// Opens connections to a port of loopback as fast as it can and says nothing over them, until it is stopped. It has at most 64 open at a time.
package final class ConnectionFlood: Sendable {
    private static let threads = 4
    private static let openOfEach = 16
    private let port: Int
    private let isStopped = Atomic<Bool>(false)
    private let running = Watched(ConnectionFlood.threads)
    private let begun = Watched(0)

    package init(port: Int) {
        self.port = port
        for _ in 0..<Self.threads { Thread.detachNewThread { self.flood() } }
    }

    /// Returns once so many connections were opened.
    package func until(_ count: Int) async throws { try await begun.until { $0 >= count } }

    /// Returns when its last connection is closed.
    package func stop() async throws {
        isStopped.store(true, ordering: .relaxed)
        try await running.until { $0 == 0 }
    }

    private func flood() {
        var open: [Connection] = []
        while !isStopped.load(ordering: .relaxed) {
            guard let connection = try? Connection(port: port) else { continue }
            open.append(connection)
            begun.change { $0 += 1 }
            if open.count == Self.openOfEach { open.removeFirst().close() }
        }
        for connection in open { connection.close() }
        running.change { $0 -= 1 }
    }
}
