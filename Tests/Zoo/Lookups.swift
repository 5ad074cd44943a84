import Health
import TestSupport

extension Zoo {
    /// Names that lead nowhere, or to too many places. Whoever probes them answers them by ``names``.
    static let lookups = [
        named("has a name that does not resolve", .dnsFailed, "unknown.zoo", .unknown),
        named("has a name that resolves to nothing", .dnsFailed, "nothing.zoo", .nothing),
        named("has a name that never resolves", .dnsFailed, within: Beast.soon, "never.zoo", .never),
        named("has a name with a denied address", .addressDenied, "forbidden.zoo", .addresses(["127.0.0.2"])),
        named("has a name with 20 denied addresses", .addressDenied, "allforbidden.zoo", .addresses(twenty("127.0.0", from: 2))),
        named("has a name with 20 addresses, all but one denied", nil, "one.zoo", .addresses(twenty("127.0.0", from: 1))),
        Beast("has a name with 20 dead addresses", .connectRefused, names: ["dead.zoo": .addresses(twenty("127.0.1", from: 1))]) {
            _ in
            let closed = try ClosedPort()
            return Den("http://dead.zoo:\(closed.port)", keeping: [closed])
        },
    ]

    private static func twenty(_ network: String, from first: Int) -> [String] {
        (first..<(first + 20)).map { "\(network).\($0)" }
    }

    /// A target that would answer well.
    private static func named(
        _ name: String, _ reason: Reason?, within timeout: Duration? = nil, _ host: String, _ answer: NameAnswer
    ) -> Beast {
        Beast(name, reason, within: timeout, names: [host: answer]) { _ in try Den(host: host) { $0.answer() } }
    }
}
