import Synchronization

/// What becomes known while the demo starts, for whoever waits for it.
final class ListeningPorts: Sendable {
    private let api = Later()
    private let samples = Later()

    func apiListens(on port: Int) { api.set(port) }
    func samplesAreUp() { samples.set(0) }

    /// Once the API listens and has its list; nil when the wait was cancelled.
    func apiPort() async -> Int? {
        guard await samples.value() != nil else { return nil }
        return await api.value()
    }
}

/// A number that one task sets once and another waits for.
final class Later: Sendable {
    private let stream: AsyncStream<Int>
    private let continuation: AsyncStream<Int>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingOldest(1)) }

    func set(_ number: Int) {
        continuation.yield(number)
        continuation.finish()
    }

    func value() async -> Int? { await stream.first { _ in true } }
}
