import Foundation
import Health
import Probing
import Synchronization
import TestSupport
import Testing
import Zoo

@testable import Curl

/// Beasts in their dens, and a prober on an engine of its own that looks up the zoo's names.
struct OpenZoo: Sendable {
    struct Enclosure: Sendable {
        let beast: Beast
        let den: Den
    }

    let engine: TransferEngine
    let enclosures: [Enclosure]
    let prober: Prober
    private let resolver = ZooResolver()

    init(_ beasts: [Beast]) throws {
        let keeper = Keeper()
        enclosures = try beasts.map { Enclosure(beast: $0, den: try $0.open(keeper)) }
        let engine = try TransferEngine(resolver: resolver.lookUp)
        self.engine = engine
        prober = Prober(transfer: engine.transfer(_:), wallClock: { Timestamp(milliseconds: 1) })
    }

    func probe(_ enclosure: Enclosure, due: ContinuousClock.Instant? = nil, turn: UInt64 = 0) async -> ProbeReport {
        let (beast, den) = (enclosure.beast, enclosure.den)
        let target = Target(
            identity: TargetIdentity(clientID: "zoo", key: beast.name), name: beast.name, baseURL: den.baseURL,
            testPath: den.path, region: "zoo")
        return await prober.probe(
            ProbeOrder(target: target, policy: beast.policy(in: den), egress: Zoo.egress, due: due, turn: turn))
    }

    /// Probes all of them at once, and records what is wrong with what comes of it.
    func probeAll(turn: UInt64 = 0) async {
        let complaints = await withTaskGroup(of: [String].self) { group in
            for enclosure in enclosures {
                group.addTask {
                    let began = ContinuousClock.now
                    let result = await self.probe(enclosure, turn: turn).result
                    return enclosure.complaints(
                        about: result, after: .now - began, isCrowded: enclosures.count > 1 || Zoo.isSanitized)
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        for complaint in complaints { Issue.record("\(complaint)") }
    }

    /// Ends the engine and every lookup.
    func close() async {
        resolver.release()
        await engine.shutDown()
    }

    /// Returns once no script of any beast runs any more.
    func untilQuiet() async throws {
        for enclosure in enclosures { try await enclosure.den.untilQuiet() }
    }
}

extension OpenZoo.Enclosure {
    /// What is wrong with a result of this beast, in words.
    ///
    /// - Parameter isCrowded: with a hundred others at once, or under the thread sanitizer, a short timeout may end before the engine comes to look
    ///   whether it is connected.
    func complaints(about result: ProbeResult, after elapsed: Duration, isCrowded: Bool) -> [String] {
        var complaints = den.complaints()
        if result.outcome != beast.outcome, !(isCrowded && isDeadline(result.outcome)) {
            complaints.append("\(result.outcome) instead of \(beast.outcome)")
        }
        if let void = result.void { complaints.append("void: \(void)") }
        let limit = beast.policy(in: den).effectiveTimeout + Zoo.margin
        // By the engine's clock. How long whoever awaits the probe waits is told only in a process of its own: in the suite, that is for
        // one of the few threads that all tests share, and those that block it.
        if result.duration > limit || (isCrowded && elapsed > limit + .seconds(10)) {
            complaints.append("took \(result.duration), \(elapsed) in all")
        }
        if result.sentence.isEmpty { complaints.append("no sentence") }
        if displayText(result.sentence, limit: .max) != result.sentence { complaints.append("a sentence with raw characters") }
        if result.sentence.count > 1200 { complaints.append("a sentence of \(result.sentence.count) characters") }
        return complaints.map { "\(beast.name): \($0) (\(displayText(result.sentence, limit: 1000)))" }
    }
}

extension OpenZoo.Enclosure {
    private func isDeadline(_ outcome: Outcome) -> Bool {
        let reasons: [Reason] = [.dnsFailed, .connectTimeout, .tlsHandshakeFailed, .timeout]
        return beast.hangs && reasons.contains { outcome == .bad($0) }
    }
}

/// Says what the zoo says to its names, and to no others.
final class ZooResolver: Sendable {
    private let gate = NSCondition()
    private let isOpen = Mutex(false)

    @Sendable func lookUp(_ name: LookupName) -> LookupAnswer {
        switch Zoo.names[name.host] {
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
