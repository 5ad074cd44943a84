/// The transfers that have not begun, by their ids.
struct Backlog {
    /// A burst of beginnings doesn't keep the transfers in flight from their sockets.
    static let beginningsPerTurn = 2
    /// After a turn in which sockets took long, for then many wait to begin.
    static let beginningsAfterLongTurn = 32
    static let nanosecondsOfLongTurn: UInt64 = 1_000_000

    private var ids = BurstQueue<UInt64>()

    var isEmpty: Bool { ids.isEmpty }
    var count: Int { ids.count }

    mutating func append(_ id: UInt64) { ids.append(id) }
    mutating func popFirst() -> UInt64? { ids.popFirst() }

    /// How many begin in this turn.
    ///
    /// - Parameter socketNanoseconds: for which the sockets were served in it.
    static func allowance(socketNanoseconds: UInt64) -> Int {
        socketNanoseconds > nanosecondsOfLongTurn ? beginningsAfterLongTurn : beginningsPerTurn
    }
}
