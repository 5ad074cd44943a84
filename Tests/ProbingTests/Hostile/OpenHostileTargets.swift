import Foundation
import Health
import Probing
import Synchronization
import TestSupport
import Testing
import HostileTargets

@testable import Curl

/// Hostile cases in their servers, and probers on two engines, as a daemon with two lanes has them, that look up the hostile targets' names.
struct OpenHostileTargets: Sendable {
    struct RunningCase: Sendable {
        let hostileCase: HostileCase
        let server: HostileServer
    }

    let engines: [TransferEngine]
    let cases: [RunningCase]
    let probers: [Prober]
    private let resolver = HostileResolver()

    init(_ hostileCases: [HostileCase]) throws {
        let fixtures = SharedFixtures()
        cases = try hostileCases.map { RunningCase(hostileCase: $0, server: try $0.open(fixtures)) }
        let (names, authorities) = (NameResolver(lookUp: resolver.lookUp), Authorities())
        engines = try (0..<2).map { _ in try TransferEngine(resolver: names, authorities: authorities) }
        probers = engines.map { Prober(transfer: $0.transfer(_:), wallClock: { Timestamp(milliseconds: 1) }) }
    }

    func probe(_ runningCase: RunningCase, due: ContinuousClock.Instant? = nil, turn: UInt64 = 0) async -> ProbeReport {
        let (hostileCase, server) = (runningCase.hostileCase, runningCase.server)
        let target = Target(
            identity: TargetIdentity(clientID: "hostile", key: hostileCase.name), name: hostileCase.name, baseURL: server.baseURL,
            testPath: server.path, region: "hostile")
        let lane = stableHash(target.identity) % UInt64(probers.count)
        return await probers[Int(lane)].probe(
            ProbeOrder(
                target: target, policy: hostileCase.policy(in: server), egress: HostileTargets.egress, due: due, turn: turn))
    }

    /// Probes all of them at once, and records what is wrong with what comes of it.
    func probeAll(turn: UInt64 = 0) async {
        // Under a sanitizer all of them at once leave no processor to the engine, and its own delay would be all that is seen.
        let atOnce = HostileTargets.isSanitized ? 16 : cases.count
        let complaints = await withTaskGroup(of: [String].self) { group in
            var complaints: [String] = []
            for (index, runningCase) in cases.enumerated() {
                if index >= atOnce { complaints += await group.next() ?? [] }
                group.addTask {
                    let began = ContinuousClock.now
                    let result = await self.probe(runningCase, turn: turn).result
                    return runningCase.complaints(
                        about: result, after: .now - began, isCrowded: cases.count > 1 || HostileTargets.isSanitized)
                }
            }
            return await group.reduce(into: complaints) { $0 += $1 }
        }
        for complaint in complaints { Issue.record("\(complaint)") }
    }

    /// Ends the engine and every lookup.
    func close() async {
        resolver.release()
        for engine in engines { await engine.shutDown() }
    }

    /// Returns once no script of any hostile case runs any more.
    func untilQuiet() async throws {
        for runningCase in cases { try await runningCase.server.untilQuiet() }
    }
}

extension OpenHostileTargets.RunningCase {
    /// What is wrong with a result of this hostile case, in words.
    ///
    /// - Parameter isCrowded: with a hundred others at once, or under the thread sanitizer, a short timeout may end before the engine comes to look
    ///   whether it is connected.
    func complaints(about result: ProbeResult, after elapsed: Duration, isCrowded: Bool) -> [String] {
        var complaints = server.complaints()
        if result.outcome != hostileCase.outcome, !(isCrowded && isDeadline(result.outcome)) {
            complaints.append("\(result.outcome) instead of \(hostileCase.outcome)")
        }
        if let void = result.void { complaints.append("void: \(void)") }
        let limit = hostileCase.policy(in: server).effectiveTimeout + HostileTargets.margin
        // By the engine's clock. How long whoever awaits the probe waits is told only in a process of its own: in the suite, that is for
        // one of the few threads that all tests share, and those that block it.
        if result.duration > limit || (isCrowded && elapsed > limit + .seconds(10)) {
            complaints.append("took \(result.duration), \(elapsed) in all")
        }
        if result.sentence.isEmpty { complaints.append("no sentence") }
        if displayText(result.sentence, limit: .max) != result.sentence { complaints.append("a sentence with raw characters") }
        if result.sentence.count > 1200 { complaints.append("a sentence of \(result.sentence.count) characters") }
        return complaints.map { "\(hostileCase.name): \($0) (\(displayText(result.sentence, limit: 1000)))" }
    }
}

extension OpenHostileTargets.RunningCase {
    private func isDeadline(_ outcome: Outcome) -> Bool {
        let reasons: [Reason] = [.dnsFailed, .connectTimeout, .tlsHandshakeFailed, .timeout]
        return hostileCase.hangs && reasons.contains { outcome == .bad($0) }
    }
}

/// Says what the hostile targets says to its names, and to no others.
final class HostileResolver: Sendable {
    private let gate = NSCondition()
    private let isOpen = Mutex(false)

    @Sendable func lookUp(_ name: LookupName) -> LookupAnswer {
        switch HostileTargets.names[name.host] {
        case .addresses(let texts): return .addresses(texts.compactMap { SocketAddress($0) }.sorted())
        case .nothing: return .addresses([])
        case .never:
            gate.lock()
            while !isOpen.withLock(\.self) { gate.wait() }
            gate.unlock()
            return .addresses([])
        case .unknown, nil: return .failed(.init(.lookupFailed, detail: "Name or service not known"))
        }
    }

    /// Lets what would never end come to its end, so that its threads do too.
    func release() {
        gate.lock()
        isOpen.withLock { $0 = true }
        gate.broadcast()
        gate.unlock()
    }
}
