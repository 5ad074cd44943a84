// Probes every hostileCase of Tests/HostileTargets alone, with the daemon's own prober and engine, and prints a line of JSON for each. the hostile targets's
// scenario of scripts/bench runs it and judges.

import Curl
import Foundation
import Health
import Probing
import HostileTargets

@main struct HostileBenchmark {
    static func main() async throws {
        let fixtures = SharedFixtures()
        let engine = try TransferEngine(resolver: lookUp)
        let prober = Prober(transfer: engine.transfer(_:), wallClock: { Timestamp(milliseconds: 1) })
        for hostileCase in HostileTargets.hostileCases {
            let line = try await Line(hostileCase, in: hostileCase.open(fixtures), prober)
            FileHandle.standardOutput.write(try JSONEncoder().encode(line) + Data("\n".utf8))
        }
    }

    /// Says what the hostile targets says to its names. Whoever is never answered stays here until the process ends.
    @Sendable private static func lookUp(_ name: LookupName) -> LookupAnswer {
        switch HostileTargets.names[name.host] {
        case .addresses(let texts): return .addresses(texts.compactMap { SocketAddress($0) }.sorted())
        case .nothing: return .addresses([])
        case .never: while true { pause() }
        case .unknown, nil: return .failed(.init(.lookupFailed, detail: "Name or service not known"))
        }
    }
}

private struct Line: Encodable {
    let name: String
    let outcome: String
    let wanted: String
    /// It has to end at its timeout and not before.
    let hangs: Bool
    let tookMilliseconds: Double
    let timeoutMilliseconds: Double
    /// What happened at its servers that may not happen.
    let complaints: [String]

    init(_ hostileCase: HostileCase, in server: HostileServer, _ prober: Prober) async {
        let policy = hostileCase.policy(in: server)
        let target = Target(
            identity: TargetIdentity(clientID: "hostile", key: hostileCase.name), name: hostileCase.name, baseURL: server.baseURL,
            testPath: server.path, region: "hostile")
        let order = ProbeOrder(target: target, policy: policy, egress: HostileTargets.egress, due: nil)
        let began = ContinuousClock.now
        let result = await prober.probe(order).result
        tookMilliseconds = (.now - began) / .milliseconds(1)
        timeoutMilliseconds = policy.effectiveTimeout / .milliseconds(1)
        name = hostileCase.name
        outcome = result.void.map { "void: \($0)" } ?? "\(result.outcome)"
        wanted = "\(hostileCase.outcome)"
        hangs = hostileCase.hangs
        complaints = server.complaints()
    }
}
