import Dispatch

extension DispatchQueue {
    /// Runs what takes long, or waits for a disk, on a thread of this queue: the threads of the tasks must not wait for it.
    func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in async { continuation.resume(returning: body()) } }
    }
}
