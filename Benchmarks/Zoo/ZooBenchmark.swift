// Probes every beast of Tests/Zoo alone, with the daemon's own prober and engine, and prints a line of JSON for each. The zoo's
// scenario of scripts/bench runs it and judges.

import Curl
import Foundation
import Health
import Probing
import Zoo

@main struct ZooBenchmark {
    static func main() async throws {
        let keeper = Keeper()
        let engine = try TransferEngine(resolver: lookUp)
        let prober = Prober(transfer: engine.transfer(_:), wallClock: { Timestamp(milliseconds: 1) })
        for beast in Zoo.beasts {
            let line = try await Line(beast, in: beast.open(keeper), prober)
            FileHandle.standardOutput.write(try JSONEncoder().encode(line) + Data("\n".utf8))
        }
    }

    /// Says what the zoo says to its names. Whoever is never answered stays here until the process ends.
    @Sendable private static func lookUp(_ name: LookupName) -> LookupAnswer {
        switch Zoo.names[name.host] {
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

    init(_ beast: Beast, in den: Den, _ prober: Prober) async {
        let policy = beast.policy(in: den)
        let target = Target(
            identity: TargetIdentity(clientID: "zoo", key: beast.name), name: beast.name, baseURL: den.baseURL,
            testPath: den.path, region: "zoo")
        let order = ProbeOrder(target: target, policy: policy, egress: Zoo.egress, due: nil)
        let began = ContinuousClock.now
        let result = await prober.probe(order).result
        tookMilliseconds = (.now - began) / .milliseconds(1)
        timeoutMilliseconds = policy.effectiveTimeout / .milliseconds(1)
        name = beast.name
        outcome = result.void.map { "void: \($0)" } ?? "\(result.outcome)"
        wanted = "\(beast.outcome)"
        hangs = beast.hangs
        complaints = den.complaints()
    }
}
