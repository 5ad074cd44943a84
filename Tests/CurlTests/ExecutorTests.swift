import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Curl

@Suite struct ExecutorTests {
    private let engine: TransferEngine
    init() throws { engine = try TransferEngine() }

    @Test func tasksThatPreferItRunOnTheEnginesThread() async throws {
        let server = try ConnectionServer { $0.answer() }
        let asked = try request(server.url())
        let threads = await withTaskExecutorPreference(engine.executor) {
            let before = currentThreadID()
            let report = await engine.transfer(asked)
            #expect(report.status == 200)
            return [before, currentThreadID()]
        }
        #expect(Set(threads).count == 1)
        #expect(!threads.contains(currentThreadID()))
    }

    @Test func manyTasksOfItTransferAtATime() async throws {
        let server = try ConnectionServer { $0.answer() }
        let asked = try request(server.url())
        let good = await withTaskExecutorPreference(engine.executor) {
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<200 { group.addTask { await engine.transfer(asked).status == 200 } }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
        }
        #expect(good == 200)
    }

    @Test func aNapEndsAtItsTimeAndNotBefore() async throws {
        let clock = EngineClock(engine)
        for length in [Duration.milliseconds(1), .milliseconds(2)] {
            let start = clock.now
            try await clock.sleep(until: start.advanced(by: length), tolerance: nil)
            #expect(clock.now >= start.advanced(by: length))
        }
        try await clock.sleep(until: clock.now.advanced(by: .seconds(-5)), tolerance: nil)
    }

    @Test func cancellationEndsANap() async throws {
        let clock = EngineClock(engine)
        let sleeper = Task { try await clock.sleep(until: clock.now.advanced(by: .seconds(3600)), tolerance: nil) }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
    }

    @Test func afterShutDownTasksGoOnElsewhereAndNapsEnd() async throws {
        let engine = engine
        let clock = EngineClock(engine)
        let sleeper = Task(executorPreference: engine.executor) {
            try await clock.sleep(until: clock.now.advanced(by: .milliseconds(50)), tolerance: nil)
            return currentThreadID()
        }
        await engine.shutDown()
        _ = try await sleeper.value
        let asked = try request("http://127.0.0.1:1/")
        let answer = await withTaskExecutorPreference(engine.executor) { await engine.transfer(asked).code }
        #expect(answer == .shutDown)
    }
}

private func currentThreadID() -> UInt { UInt(pthread_self()) }
