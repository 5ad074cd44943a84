internal import GRDB
internal import Health

/// What the writer knows between two commits; only the database's own queue touches it.
struct WriterMemory: Sendable {
    /// What was taken from the inbox and isn't committed.
    var held: Batch
    var dimensions: Dimensions
    /// A digest of each target's judge as it was written, so that a steady target costs nothing but its row.
    var judges: [TargetIdentity: Int] = [:]
    /// A digest of each client's list as it was written.
    var lists: [String: Int] = [:]
    var saidDropping = false
    var isClosed = false
}

/// The ids of words and names. What isn't known is looked up, and added when it is new, in the transaction that needs it; after a rollback
/// ``forgetAll()`` drops ids that may never have been written.
struct Dimensions: Sendable {
    /// Addresses past this many are written in their rows, so that a target with a new address every time can't grow a table that nothing
    /// shrinks.
    static let addressLimit = 65_536

    let vantage: Int64
    private let reasons: [Reason: Int64]
    private let causes: [Cause: Int64]
    private var targets: [TargetIdentity: Int64] = [:]
    private var addresses: [String: Int64] = [:]
    private var addressCount: Int64?

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
        targets = [:]
        addresses = [:]
        addressCount = nil
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

    mutating func forget(_ identity: TargetIdentity) { targets[identity] = nil }

    mutating func address(_ text: String?, _ db: Database) throws -> Cell {
        guard let text else { return .null }
        if let known = addresses[text] { return .integer(known) }
        if let known = try db.integer("SELECT id FROM address WHERE text = ?", [.text(text)]) {
            addresses[text] = known
            return .integer(known)
        }
        let count = try addressCount ?? db.integer("SELECT count(*) FROM address") ?? 0
        addressCount = count
        guard count < Self.addressLimit else { return .text(text) }
        try db.run("INSERT INTO address (text) VALUES (?)", [.text(text)])
        addresses[text] = db.lastInsertedRowID
        addressCount = count + 1
        return .integer(db.lastInsertedRowID)
    }
}
