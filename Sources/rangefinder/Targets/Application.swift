import FoundationEssentials
import Glibc
import Health
import Synchronization
import TargetsAPI

/// Carries out a plan: several requests at once, how far it came on standard error, and at the end exactly what wasn't done and why.
final class Application: Sendable {
    enum Step: Sendable {
        /// With its key: sent again, it is the same create.
        case create(TargetDraft, once: String)
        case update(ApplyPlan.Update)
        case delete(Target)
    }

    enum Outcome: Sendable {
        case done
        case failed(APIError)
        /// The work was given up before.
        case notTried
    }

    fileprivate struct State {
        var next = 0
        var outcomes: [Outcome]
        var done = 0
        var failed = 0
        var failuresInARow = 0
        /// Why nothing more is tried.
        var giveUp: APIError?
    }

    private static let atOnce = 8
    /// Each of them was tried several times: the API is gone.
    private static let failuresInARowMax = 10
    let steps: [Step]
    private let client: TargetsClient
    private let state: Mutex<State>

    init(plan: ApplyPlan, client: TargetsClient) {
        steps =
            plan.creates.map { .create($0, once: UUID().uuidString) } + plan.updates.map(Step.update)
            + plan.deletes.map(Step.delete)
        self.client = client
        state = Mutex(State(outcomes: Array(repeating: .notTried, count: steps.count)))
    }

    /// - Returns: what came of each step.
    func carryOut() async -> [Outcome] {
        await withTaskGroup(of: Void.self) { group in
            let progress = Task {
                while (try? await Task.sleep(for: .seconds(1))) != nil { self.sayProgress() }
            }
            for _ in 0..<Self.atOnce { group.addTask { while let number = self.takeNext() { await self.perform(number) } } }
            await group.waitForAll()
            progress.cancel()
        }
        await lookForLostAnswers()
        return state.withLock { $0.outcomes }
    }

    private func sayProgress() {
        let (done, failed) = state.withLock { ($0.done, $0.failed) }
        printError("\(done) of \(steps.count) done" + (failed > 0 ? ", \(failed) failed" : ""))
    }

    private func takeNext() -> Int? {
        state.withLock { state in
            guard state.next < steps.count, state.giveUp == nil else { return nil }
            state.next += 1
            return state.next - 1
        }
    }

    private func perform(_ number: Int) async {
        do throws(APIError) {
            switch steps[number] {
            case .create(let draft, let once): _ = try await client.create(draft, once: once)
            case .update(let update): _ = try await client.update(update.target.identity.key, update.change)
            case .delete(let target): try await client.delete(target.identity.key)
            }
            state.withLock { $0.succeed(number) }
        } catch {
            state.withLock { $0.fail(number, error, inARowMax: Self.failuresInARowMax) }
        }
    }

    /// Creates whose answer was lost may have been done: the list says.
    private func lookForLostAnswers() async {
        let lost = state.withLock { state in
            state.outcomes.indices.filter { number in
                if case .failed(let error) = state.outcomes[number], case .create = steps[number] {
                    error.mayHaveBeenDone
                } else {
                    false
                }
            }
        }
        guard !lost.isEmpty, let list = try? await client.list() else { return }
        let there = Dictionary(grouping: list.targets) { ApplyPlan.NaturalKey(name: $0.name, region: $0.region) }
        for number in lost {
            guard case .create(let draft, _) = steps[number],
                ApplyPlan(
                    declared: [draft], existing: there[ApplyPlan.NaturalKey(name: draft.name, region: draft.region)] ?? [],
                    prune: false
                ).unchanged == 1
            else { continue }
            state.withLock { state in
                state.outcomes[number] = .done
                state.done += 1
                state.failed -= 1
            }
        }
    }
}

extension Application.State {
    mutating func succeed(_ number: Int) {
        outcomes[number] = .done
        done += 1
        failuresInARow = 0
    }

    mutating func fail(_ number: Int, _ error: APIError, inARowMax: Int) {
        outcomes[number] = .failed(error)
        failed += 1
        // A refusal of one is no sign that the others fail, but a token that may not is.
        let isRefusal = error.code == .httpStatus && !error.mayHaveBeenDone && error.httpStatus != 429
        failuresInARow = isRefusal ? 0 : failuresInARow + 1
        if error.code == .unauthorized || failuresInARow >= inARowMax { giveUp = error }
    }
}

extension Application.Step {
    var words: String {
        switch self {
        case .create(let draft, _): "create \(displayText(draft.name)) (\(displayText(draft.region)))"
        case .update(let update): "change \(displayText(update.target.name)) (\(displayText(update.target.region)))"
        case .delete(let target): "delete \(displayText(target.name)) (\(displayText(target.region)))"
        }
    }
}

/// What came of all steps, for people.
func applicationText(_ steps: [Application.Step], _ outcomes: [Application.Outcome]) -> String {
    var (done, notTried, failures) = (0, 0, [(words: String, error: APIError)]())
    for (step, outcome) in zip(steps, outcomes) {
        switch outcome {
        case .done: done += 1
        case .failed(let error): failures.append((step.words, error))
        case .notTried: notTried += 1
        }
    }
    var lines = [
        "\(done) of \(steps.count) done" + (failures.isEmpty ? "" : ", \(failures.count) failed")
            + (notTried > 0 ? ", \(notTried) not tried" : "")
    ]
    lines += failures.prefix(20).map { "  \($0.words): \($0.error)" }
    if failures.count > 20 { lines.append("  and \(failures.count - 20) more") }
    if notTried > 0 || failures.contains(where: { $0.error.code != .httpStatus || $0.error.mayHaveBeenDone }) {
        lines.append("Run it again when that is mended: what is done already is left alone.")
    } else if !failures.isEmpty {
        lines.append("The API refuses these as they are: mend them in the file, and run it again.")
    }
    return lines.joined(separator: "\n")
}
