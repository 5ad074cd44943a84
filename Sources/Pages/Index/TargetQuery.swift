package import Health

/// Which targets a page of the list has, and in which order: what `/targets?…` asks for.
package struct TargetQuery: Hashable, Sendable {
    package enum Order: String, Hashable, Sendable, CaseIterable { case status, name, last, p95, availability, since }

    package static let rowsUsual = 50
    package static let rowsMax = 200

    package var status: Status?
    package var region: String?
    package var host: String?
    package var client: String?
    /// The word of a reason or a cause.
    package var reason: String?
    /// Stands anywhere in the name, the host or the id, whatever the case of its ASCII letters.
    package var text = ""
    package var order = Order.status
    /// The last row of the page before.
    package var after: Cursor?
    package var limit = rowsUsual

    package init() {}

    /// Where a page ended: the rank of its last row, and the target, which no other row has.
    package struct Cursor: Hashable, Sendable {
        var rank: Int64
        /// Where the order goes by names: a rank among names is another one when a target has come or gone.
        var name = ""
        var identity: TargetIdentity
    }

    func holds(_ live: TargetIndex.Live) -> Bool {
        if let status, live.status != status { return false }
        if let reason, live.reason?.rawValue != reason, live.cause?.rawValue != reason { return false }
        return true
    }
}
