internal import GRDB
internal import Health

/// The ids of words and names. An id that isn't known is looked up in the transaction that needs it, and a new word or name is added there.
/// After a rollback ``forgetAll()`` drops ids that may never have been written.
struct Dimensions: Sendable {
    /// Addresses of one target past this many are written in their rows. Otherwise a target with a new address every time would grow a table
    /// that nothing shrinks.
    static let addressesMax = 64

    let vantage: Int64
    private let reasons: [Reason: Int64]
    private let causes: [Cause: Int64]
    private var slots: [TargetIdentity: Int] = [:]
    private var known: [KnownTarget] = []
    private var freeSlots: [Int] = []
    /// The ordinals of targets that were forgotten while their chunk was open, by the target's id.
    private var forgotten: [Int64: (chunk: Int64, ordinals: Int)] = [:]
    private var kinds: [ResultKind: Int64]?
    /// Most results are like the one before.
    private var lastKind: (kind: ResultKind, id: Int64)?
    /// The id of the next kind.
    private var kindID: Int64 = 0

    /// What is known of a target. It is found by one search, because each result needs it.
    private struct KnownTarget {
        var id: Int64
        /// nil until a result needs them.
        var addresses: [String]?
        /// The last chunk with results of the target, and how many they are.
        var chunk: Int64 = 0
        var ordinals = 0
    }

    /// Reads the words, and adds the words that this version has and the database hasn't.
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
        (slots, known, freeSlots, forgotten, kinds, lastKind) = ([:], [], [], [:], nil, nil)
    }

    func cell(_ reason: Reason?) -> Cell { Cell(reason.flatMap { reasons[$0] }) }
    func cell(_ cause: Cause?) -> Cell { Cell(cause.flatMap { causes[$0] }) }

    /// The id of a target's row. A target that no list has named yet gets a row with its key as its name.
    mutating func target(_ identity: TargetIdentity, _ db: Database) throws -> Int64 {
        known[try slot(of: identity, db)].id
    }

    func target(_ slot: Int) -> Int64 { known[slot].id }

    mutating func slot(of identity: TargetIdentity, _ db: Database) throws -> Int {
        if let slot = slots[identity] { return slot }
        let key: [Cell] = [.text(identity.clientID), .text(identity.key)]
        var id = try db.integer("SELECT id FROM target WHERE client_id = ? AND target_id = ?", key)
        if id == nil {
            try db.run("INSERT INTO target (client_id, target_id, name) VALUES (?1, ?2, ?2)", key)
            id = db.lastInsertedRowID
        }
        var target = KnownTarget(id: id ?? 0)
        if let before = forgotten.removeValue(forKey: target.id) { (target.chunk, target.ordinals) = before }
        let slot = freeSlots.popLast() ?? known.count
        if slot < known.count { known[slot] = target } else { known.append(target) }
        slots[identity] = slot
        return slot
    }

    /// No ordinal in the chunk is given twice, even to a target that went and came back.
    ///
    /// - Parameter openChunk: the chunk that results are appended to. Ordinals in another chunk are of no use any more.
    mutating func forget(_ identity: TargetIdentity, openChunk: Int64?) {
        guard let slot = slots.removeValue(forKey: identity) else { return }
        let target = known[slot]
        forgotten = forgotten.filter { $0.value.chunk == openChunk }
        if target.chunk == openChunk { forgotten[target.id] = (target.chunk, target.ordinals) }
        known[slot] = KnownTarget(id: 0)
        freeSlots.append(slot)
    }

    /// The next ordinal of a target in a chunk.
    mutating func ordinal(_ slot: Int, in chunk: Int64) -> Int {
        if known[slot].chunk != chunk { (known[slot].chunk, known[slot].ordinals) = (chunk, 0) }
        defer { known[slot].ordinals += 1 }
        return known[slot].ordinals
    }

    mutating func kind(of row: ResultRow, _ db: Database) throws -> Int64 {
        let kind = ResultKind(
            vantage: vantage, void: row.void.code, status: Int64(row.status.code),
            reason: row.outcome.reason.flatMap { reasons[$0] },
            cause: row.outcome.cause.flatMap { causes[$0] }, httpStatus: row.httpStatus.map(Int64.init),
            interval: row.interval.wholeMilliseconds, isInMaintenance: row.isInMaintenance)
        if let lastKind, lastKind.kind == kind { return lastKind.id }
        let id = try id(of: kind, db)
        lastKind = (kind, id)
        return id
    }

    private mutating func id(of kind: ResultKind, _ db: Database) throws -> Int64 {
        if kinds == nil {
            let all = try ResultKind.all(db)
            kinds = Dictionary(all.map { ($1, $0) }, uniquingKeysWith: min)
            kindID = (all.keys.max() ?? -1) + 1
        }
        if let known = kinds?[kind] { return known }
        try kind.insert(db, id: kindID)
        kinds?[kind] = kindID
        kindID += 1
        return kindID - 1
    }

    /// The place of an address among the addresses of a target, or the text itself where the addresses are too many.
    mutating func address(_ text: String?, _ slot: Int, _ db: Database) throws -> Cell {
        guard let text else { return .null }
        let target = known[slot].id
        if known[slot].addresses == nil {
            var addresses: [String] = []
            try db.run("SELECT text FROM target_address WHERE target = ? ORDER BY place", [.integer(target)]) { row in
                addresses.append(row.text(0) ?? "")
                return true
            }
            known[slot].addresses = addresses
        }
        let count = known[slot].addresses?.count ?? 0
        if let place = known[slot].addresses?.firstIndex(of: text) { return .integer(Int64(place)) }
        guard count < Self.addressesMax else { return .text(text) }
        try db.run("INSERT INTO target_address VALUES (?, ?, ?)", [.integer(target), Cell(count), .text(text)])
        known[slot].addresses?.append(text)
        return .integer(Int64(count))
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
