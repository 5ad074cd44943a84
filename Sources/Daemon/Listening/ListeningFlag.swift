import Synchronization

/// Whether the listener for pages takes connections yet.
final class ListeningFlag: Sendable {
    private let isListening = Mutex(false)

    var value: Bool { isListening.withLock(\.self) }

    func set() { isListening.withLock { $0 = true } }
}
