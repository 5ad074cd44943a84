import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Curl

@Suite struct SharedResolverTests {
    @Test func twoEnginesThatAskForOneNameMakeOneLookup() async throws {
        let held = HeldResolver(["127.0.0.1"])
        let resolver = NameResolver(lookUp: held.lookUp)
        let engines = try [TransferEngine(resolver: resolver), TransferEngine(resolver: resolver)]
        let server = try ConnectionServer { $0.answer() }
        let wanted = try request("http://shared.test:\(server.port)/")
        let literal = try request(server.url())
        let gate = Counter()
        let reports = await withTaskGroup(of: TransferReport.self) { group in
            for engine in engines {
                for _ in 0..<10 { group.addTask(executorPreference: engine.executor) { await engine.transfer(wanted) } }
                // Transfers begin in the order in which they were submitted: then the others wait for theirs.
                group.addTask(executorPreference: engine.executor) {
                    let report = await engine.transfer(literal)
                    if gate.next() == engines.count { held.release() }
                    return report
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(reports.count == 22 && reports.allSatisfy { $0.status == 200 } && held.calls == 1)
    }

    @Test func anAnswerIsRememberedForAllEngines() async throws {
        let server = try NameServer { [$0.answer(addresses: ["192.0.2.1"])] }
        let bench = try ResolverBench(port: server.port)
        for _ in 0..<3 {
            let report = try await bench.look("a.test", in: try bench.engine()) { ($0.family, $0.dnsCache) = (.v4, .timeToLive) }
            #expect(report.resolved.map(\.text) == ["192.0.2.1"])
        }
        #expect(server.queries.value.count == 1)
        _ = try await bench.look("a.test") { $0.family = .v4 }
        #expect(server.queries.value.count == 2)
    }

    @Test func anAnswerIsUsedAgainForItsTimeToLive() async throws {
        let server = try NameServer { [$0.answer(addresses: ["192.0.2.1"], seconds: 0)] }
        let bench = try ResolverBench(port: server.port)
        let engine = try bench.engine()
        let start = ContinuousClock.now
        while server.queries.value.count < 2, ContinuousClock.now - start < .seconds(20) {
            _ = try await bench.look("a.test", in: engine) { ($0.family, $0.dnsCache) = (.v4, .timeToLive) }
        }
        #expect(ContinuousClock.now - start > .milliseconds(900) && server.queries.value.count == 2)
    }

    @Test func aFailedAnswerIsNotUsedAgain() async throws {
        let server = try NameServer { [$0.answer(code: 3)] }
        let bench = try ResolverBench(port: server.port)
        for _ in 0..<2 { _ = try await bench.look("a.test") { ($0.family, $0.dnsCache) = (.v4, .atMost(.seconds(60))) } }
        #expect(server.queries.value.count == 2)
    }

    /// The phase ends when the resolver has the answer, whatever else the engine's thread has to do.
    @Test func theTimeForWhichTheEngineIsBusyIsNoPartOfTheLookup() async throws {
        let held = HeldResolver(["127.0.0.1"])
        let resolver = NameResolver(lookUp: held.lookUp)
        let (busy, free) = (try TransferEngine(resolver: resolver), try TransferEngine(resolver: resolver))
        let server = try ConnectionServer { $0.answer() }
        let (wanted, literal) = (try request("http://busy.test:\(server.port)/"), try request(server.url()))
        let first = Task(executorPreference: busy.executor) { await busy.transfer(wanted) }
        let second = Task(executorPreference: free.executor) { await free.transfer(wanted) }
        // Transfers begin in the order in which they were submitted: then the others wait for their lookup.
        for engine in [busy, free] {
            _ = await Task(executorPreference: engine.executor) { await engine.transfer(literal) }.value
        }
        let gate = Gate()
        Task(executorPreference: busy.executor) {
            held.release()
            gate.waitUntilOpen()
        }
        #expect(await second.value.status == 200)
        let answered = ContinuousClock.now
        gate.open()
        let report = await first.value
        #expect(report.status == 200 && held.calls == 1)
        #expect(report.startedAt + (report.dns ?? .zero) < answered)
    }
}

/// Holds up a thread.
private final class Gate: Sendable {
    private let condition = NSCondition()
    private let isOpen = Mutex(false)

    func waitUntilOpen() {
        condition.lock()
        while !isOpen.withLock({ $0 }) { condition.wait() }
        condition.unlock()
    }

    func open() {
        condition.lock()
        isOpen.withLock { $0 = true }
        condition.broadcast()
        condition.unlock()
    }
}
