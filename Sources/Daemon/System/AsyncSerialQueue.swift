import Synchronization

/// Does one thing after the other, in the order in which they were asked for: of two reloads the later one's settings are in force.
final class AsyncSerialQueue: Sendable {
    private let last = Mutex<Task<Void, Never>?>(nil)

    /// What was begun is done, also when who asked for it has gone.
    func take<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
        let turn = last.withLock { last in
            let turn = Task { [before = last] in
                await before?.value
                return await body()
            }
            last = Task { _ = await turn.value }
            return turn
        }
        return await turn.value
    }
}
