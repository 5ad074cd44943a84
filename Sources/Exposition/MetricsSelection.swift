import Health

/// Which targets' series a page has: `/metrics?client_id=…&region=…&shard=i/n`. The daemon's own are on every page.
package struct MetricsSelection: Hashable, Sendable {
    /// One of `count` parts by a stable hash of the identity; `number` counts from 1.
    package struct Shard: Hashable, Sendable {
        package static let countLimit = 1024

        package let number: Int
        package let count: Int

        /// Reads `i/n` with 1 ≤ i ≤ n ≤ 1,024.
        package init?(_ text: some StringProtocol) {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            let isPlain = text.utf8.allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: "/") }
            guard isPlain, parts.count == 2, let number = Int(parts[0]), let count = Int(parts[1]),
                (1...Self.countLimit).contains(count), (1...count).contains(number)
            else { return nil }
            (self.number, self.count) = (number, count)
        }

        func holds(_ identity: TargetIdentity) -> Bool {
            stableHash(identity) % UInt64(count) == UInt64(number - 1)
        }
    }

    package var clientID: String?
    package var region: String?
    package var shard: Shard?

    package init(clientID: String? = nil, region: String? = nil, shard: Shard? = nil) {
        self.clientID = clientID
        self.region = region
        self.shard = shard
    }

    func holds(_ target: SeriesRow) -> Bool {
        (clientID ?? target.identity.clientID) == target.identity.clientID && (region ?? target.region) == target.region
            && shard?.holds(target.identity) ?? true
    }
}
