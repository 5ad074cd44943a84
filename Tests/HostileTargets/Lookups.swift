import Health
import TestSupport

extension HostileTargets {
    /// Names that lead nowhere, or to too many places. Whoever probes them answers them by ``names``.
    static let lookups = [
        named("has a name that does not resolve", .dnsFailed, "unknown.hostile", .unknown),
        named("has a name that resolves to nothing", .dnsFailed, "nothing.hostile", .nothing),
        named("has a name that never resolves", .dnsFailed, within: HostileCase.soon, "never.hostile", .never),
        named("has a name with a denied address", .addressDenied, "forbidden.hostile", .addresses(["127.0.0.2"])),
        named(
            "has a name with 20 denied addresses", .addressDenied, "allforbidden.hostile", .addresses(twenty("127.0.0", from: 2))),
        named("has a name with 20 addresses, all but one denied", nil, "one.hostile", .addresses(twenty("127.0.0", from: 1))),
        HostileCase(
            "has a name with 20 dead addresses", .connectRefused, names: ["dead.hostile": .addresses(twenty("127.0.1", from: 1))]
        ) {
            _ in
            let closed = try ClosedPort()
            return HostileServer("http://dead.hostile:\(closed.port)", keeping: [closed])
        },
    ]

    private static func twenty(_ network: String, from first: Int) -> [String] {
        (first..<(first + 20)).map { "\(network).\($0)" }
    }

    /// A target that would answer well.
    private static func named(
        _ name: String, _ reason: Reason?, within timeout: Duration? = nil, _ host: String, _ answer: NameAnswer
    ) -> HostileCase {
        HostileCase(name, reason, within: timeout, names: [host: answer]) { _ in try HostileServer(host: host) { $0.answer() } }
    }
}
