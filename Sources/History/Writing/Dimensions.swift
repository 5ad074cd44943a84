internal import GRDB
internal import Health

/// The ids of words and names. What isn't known is looked up, and added when it is new, in the transaction that needs it; after a rollback
/// ``forgetAll()`` drops ids that may never have been written.
struct Dimensions: Sendable {
    /// Addresses of one target past this many are written in their rows, so that one with a new address every time can't grow a table that
    /// nothing shrinks.
    static let addressesMax = 64

    let vantage: Int64
    let reasons: [Reason: Int64]
    let causes: [Cause: Int64]
    private var targets: [TargetIdentity: Int64] = [:]
    private var addresses: [Int64: [String]] = [:]
    private var kinds: [Kind: Int64]?
    /// The next kind's.
    private var kindID: Int64 = 0

    /// Reads the words, and adds those that this version has and the database hasn't.
    init(_ db: Database, vantage name: String) throws {
        var ids: (vantage: Int64, reasons: [Reason: Int64], causes: [Cause: Int64]) = (0, [:], [:])
        try db.inTransaction(.immediate) {
            ids.vantage = try Self.id(db, of: name, in: "vantage")
            for reason in Reason.allCases { ids.reasons[reason] = try Self.id(db, of: reason.rawValue, in: "reason") }
            for cause in Cause.allCases { ids.causes[cause] = try Self.id(db, of: cause.rawValue, in: "cause") }
            return .commit
        }
        (vantage, reasons, causes) = ids
    }

    private static func id(_ db: Database, of name: String, in table: String) throws -> Int64 {
        if let known = try db.integer("SELECT id FROM \(table) WHERE name = ?", [.text(name)]) { return known }
        try db.run("INSERT INTO \(table) (name) VALUES (?)", [.text(name)])
        return db.lastInsertedRowID
    }

    mutating func forgetAll() {
        (targets, addresses, kinds) = ([:], [:], nil)
    }

    func cell(_ reason: Reason?) -> Cell { Cell(reason.flatMap { reasons[$0] }) }
    func cell(_ cause: Cause?) -> Cell { Cell(cause.flatMap { causes[$0] }) }

    /// The id of a target's row. One that no list has named yet gets a row with its key for a name.
    mutating func target(_ identity: TargetIdentity, _ db: Database) throws -> Int64 {
        if let known = targets[identity] { return known }
        let key: [Cell] = [.text(identity.clientID), .text(identity.key)]
        var id = try db.integer("SELECT id FROM target WHERE client_id = ? AND target_id = ?", key)
        if id == nil {
            try db.run("INSERT INTO target (client_id, target_id, name) VALUES (?1, ?2, ?2)", key)
            id = db.lastInsertedRowID
        }
        targets[identity] = id
        return id ?? 0
    }

    mutating func forget(_ identity: TargetIdentity) {
        if let id = targets.removeValue(forKey: identity) { addresses[id] = nil }
    }

    mutating func kind(of row: ResultRow, _ db: Database) throws -> Int64 {
        let kind = Kind(
            vantage: vantage, void: row.void.code, status: Int64(row.status.code),
            reason: row.outcome.reason.flatMap { reasons[$0] },
            cause: row.outcome.cause.flatMap { causes[$0] }, httpStatus: row.httpStatus.map(Int64.init),
            interval: row.interval.wholeMilliseconds)
        if kinds == nil {
            let all = try Kind.all(db)
            kinds = Dictionary(all.map { ($1, $0) }, uniquingKeysWith: min)
            kindID = (all.keys.max() ?? -1) + 1
        }
        if let known = kinds?[kind] { return known }
        try kind.insert(db, id: kindID)
        kinds?[kind] = kindID
        kindID += 1
        return kindID - 1
    }

    /// A place among the addresses of a target, or the text itself where those are too many.
    mutating func address(_ text: String?, of target: Int64, _ db: Database) throws -> Cell {
        guard let text else { return .null }
        if addresses[target] == nil {
            var known: [String] = []
            try db.run("SELECT text FROM target_address WHERE target = ? ORDER BY place", [.integer(target)]) { row in
                known.append(row.text(0) ?? "")
                return true
            }
            addresses[target] = known
        }
        let known = addresses[target] ?? []
        if let place = known.firstIndex(of: text) { return .integer(Int64(place)) }
        guard known.count < Self.addressesMax else { return .text(text) }
        try db.run("INSERT INTO target_address VALUES (?, ?, ?)", [.integer(target), Cell(known.count), .text(text)])
        addresses[target]?.append(text)
        return .integer(Int64(known.count))
    }
}

extension VoidCause? {
    fileprivate var code: Int64 {
        switch self {
        case nil: 0
        case .tainted?: 1
        case .cancelled?: 2
        case .proberFault?: 3
        }
    }
}
