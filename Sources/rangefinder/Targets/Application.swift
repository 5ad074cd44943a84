import Glibc
import Health
import Synchronization
import TargetsAPI

/// Carries out a plan: several requests at once, each change said when it failed, and how far it came on standard error.
final class Application: Sendable {
    private enum Step: Sendable {
        case create(TargetDraft)
        case update(ApplyPlan.Update)
        case delete(Target)

        /// A create that was sent may have been done although its answer was lost: only running the command again can tell.
        var mayBeRepeated: Bool { if case .create = self { false } else { true } }

        var words: String {
            switch self {
            case .create(let draft): "create \(displayText(draft.name)) (\(displayText(draft.region)))"
            case .update(let update): "change \(displayText(update.target.name)) (\(displayText(update.target.region)))"
            case .delete(let target): "delete \(displayText(target.name)) (\(displayText(target.region)))"
            }
        }
    }

    private struct State {
        var next = 0
        var done = 0
        var failures: [String] = []
        var saidAt = ContinuousClock.now
    }

    private static let atOnce = 8
    private static let attempts = 4
    private let steps: [Step]
    private let client: TargetsClient
    private let state = Mutex(State())

    init(plan: ApplyPlan, client: TargetsClient) {
        steps = plan.creates.map(Step.create) + plan.updates.map(Step.update) + plan.deletes.map(Step.delete)
        self.client = client
    }

    /// Returns whether all was done.
    func carryOut() async -> Bool {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.atOnce { group.addTask { while let step = self.takeNext() { await self.perform(step) } } }
        }
        let (done, failures) = state.withLock { ($0.done, $0.failures) }
        printError("\(done) of \(steps.count) done" + (failures.isEmpty ? "" : ", \(failures.count) failed:"))
        for failure in failures.prefix(20) { printError("  \(failure)") }
        if failures.count > 20 { printError("  and \(failures.count - 20) more") }
        if done < steps.count { printError("Run it again: what is done already is left alone.") }
        return done == steps.count
    }

    private func takeNext() -> Step? {
        state.withLock { state in
            guard state.next < steps.count else { return nil }
            state.next += 1
            return steps[state.next - 1]
        }
    }

    private func perform(_ step: Step) async {
        do throws(APIError) {
            try await attempt(step)
            state.withLock { state in
                state.done += 1
                guard state.saidAt.duration(to: .now) > .seconds(1) else { return }
                state.saidAt = .now
                printError("\(state.done) of \(steps.count) done")
            }
        } catch {
            state.withLock { $0.failures.append("\(step.words): \(error)") }
        }
    }

    /// Once more after 1, 2 and 4 seconds where that can do no harm.
    private func attempt(_ step: Step) async throws(APIError) {
        for number in 1... {
            do throws(APIError) {
                return try await send(step)
            } catch {
                guard number < Self.attempts, isTransient(error, step) else { throw error }
                let jitter = Double.random(in: 0.5...1)
                try? await Task.sleep(for: .seconds(Double(1 << (number - 1)) * jitter))
            }
        }
    }

    private func send(_ step: Step) async throws(APIError) {
        switch step {
        case .create(let draft): _ = try await client.create(draft)
        case .update(let update): _ = try await client.update(update.target.identity.key, update.change)
        case .delete(let target):
            do throws(APIError) { try await client.delete(target.identity.key) } catch {
                // Gone is gone, also by the attempt whose answer was lost.
                if error.httpStatus != 404 { throw error }
            }
        }
    }

    /// Whether another attempt may succeed and can't do it twice.
    private func isTransient(_ error: APIError, _ step: Step) -> Bool {
        switch error.code {
        // It was never sent.
        case .dnsFailed, .connectFailed: true
        case .httpStatus where [429, 503].contains(error.httpStatus): true
        case .timeout, .transportFailed, .emptyBody,
            .httpStatus where step.mayBeRepeated:
            (error.httpStatus ?? 500) >= 500
        default: false
        }
    }
}
