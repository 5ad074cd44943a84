import Logging
import ServiceLifecycle

/// Runs a listener so that it always ends in order, however its task is to end: it takes no more connections first, then it has
/// ``answersMayTake``, and only what is left then is cancelled.
///
/// A listener that is cancelled while it still takes connections drops those that were accepted and that nobody has taken up, and NIO ends the
/// process for each ("Deinited NIOAsyncWriter without calling finish()"). A group cancels its services when one of them fails, or when one
/// takes too long to end while others wait for their turn.
func endingInOrder(_ body: @escaping @Sendable () async throws -> Void) async throws {
    var configuration = ServiceGroupConfiguration(
        services: [Running(body: body)], logger: Logger(label: "listener") { _ in SwiftLogNoOpLogHandler() })
    configuration.maximumGracefulShutdownDuration = answersMayTake
    let group = ServiceGroup(configuration: configuration)
    // Not a child, so that no cancellation reaches it. The graceful shutdown of the group around it does, by a task-local value.
    let running = Task { try await group.run() }
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            await untilCancelled()
            await group.triggerGracefulShutdown()
        }
        defer { tasks.cancelAll() }
        try await running.value
    }
}

private func untilCancelled() async {
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
}

/// Two listeners, one after the other, are within what a daemon's services may take to end.
private let answersMayTake = Duration.milliseconds(600)

private struct Running: Service {
    let body: @Sendable () async throws -> Void

    func run() async throws { try await body() }
}
