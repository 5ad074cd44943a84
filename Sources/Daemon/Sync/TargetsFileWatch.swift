import Health
import LockOrder
import Logging

/// Follows the file that the settings name, which a reload may change.
final class TargetsFileWatch: Sendable {
    private struct State {
        var path: String?
        var watch: FileWatch?
    }

    private let logger: Logger
    private let state = OrderedMutex(State())
    private let news = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    init(_ logger: Logger) { self.logger = logger }

    /// The file may have changed.
    var changes: AsyncStream<Void> { news.stream }

    /// - Parameter path: nil for none.
    func follow(_ path: String?) {
        guard state.withLock({ $0.path != path }) else { return }
        let watch = path.flatMap { FileWatch($0) { [news] in news.continuation.yield() } }
        if let path, watch == nil {
            logger.notice(
                "a change of \(displayText(path)) isn't seen at once here; the file is read every targets_api.sync_interval")
        }
        let old = state.withLock { state in
            defer { state = State(path: path, watch: watch) }
            return state.watch
        }
        withExtendedLifetime(old) {}
    }

    /// The folder may be another one by now.
    func renew() { state.withLock { $0.watch }?.renew() }
}
