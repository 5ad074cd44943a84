package import Health

/// Which targets' series a page has: `/metrics?client_id=…&region=…&shard=i/n`. The daemon's own are on every page.
package struct MetricsSelection: Hashable, Sendable {
    /// Of the parts that `shard` may name.
    package static let shardCountLimit = 1024

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
