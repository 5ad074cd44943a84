internal import FoundationEssentials
internal import GRDB
package import Health
package import TargetsAPI

/// The targets of every client in one SQLite database: WAL, one writer, a committed change survives power loss.
///
/// Errors that aren't named at an operation are a ``StoreError``, or `CancellationError`.
package final class TargetStore: Sendable {
    package enum Full: Error, Hashable, Sendable { case full }
    /// An idempotency key came with another body than before, or its target is gone.
    package enum Reused: Error, Hashable, Sendable { case reused }
    /// The target was changed since it was read.
    package struct Stale: Error, Hashable, Sendable {}

    package static let targetsPerClientMax = 100_000

    let database: TargetDatabase
    private let now: @Sendable () -> Timestamp
    /// Whose targets they are: one user, made once for each database.
    private let userID: String
    private let onChange: @Sendable (_ clientID: String) -> Void

    /// - Parameters:
    ///   - path: of the database file, made when it isn't there; its folder has to be.
    ///   - patience: how long an operation waits for another program's lock.
    ///   - now: the wall clock.
    ///   - onChange: called after each change is committed.
    /// - Throws: ``StoreError``.
    package convenience init(
        path: String, patience: Duration = .seconds(5), now: @escaping @Sendable () -> Timestamp = TargetStore.wallClock,
        onChange: @escaping @Sendable (_ clientID: String) -> Void = { _ in }
    ) throws {
        do {
            let database = try TargetDatabase.open(path, patience)
            self.init(database, userID: try database.pool.read { try TargetSchema.userID($0) }, now, onChange)
        } catch {
            throw StoreError(error, path: path)
        }
    }

    private init(
        _ database: TargetDatabase, userID: String, _ now: @escaping @Sendable () -> Timestamp,
        _ onChange: @escaping @Sendable (_ clientID: String) -> Void
    ) {
        (self.database, self.userID, self.now, self.onChange) = (database, userID, now, onChange)
    }

    /// After the last operation.
    ///
    /// - Throws: ``StoreError`` when the WAL stays, as it does where another program reads. Nothing is lost by that: the next start reads it.
    package func close() throws { try database.close() }

    package static let wallClock: @Sendable () -> Timestamp = {
        Timestamp(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)))
    }

    /// Names one state of a client's list. The name is another one after each change, and no other database has it.
    package func revision(clientID: String) async throws -> String {
        let userID = userID
        return try await database.read { try Self.revision(of: clientID, userID: userID, in: $0) }
    }

    private static func revision(of clientID: String, userID: String, in database: Database) throws -> String {
        let number = try Int64.fetchOne(database, sql: "SELECT number FROM revision WHERE client_id = ?", arguments: [clientID])
        return "\(userID.prefix(8))-\(String(UInt64(bitPattern: number ?? 0), radix: 16))"
    }

    /// In the order of creation, with its revision.
    package func list(clientID: String) async throws -> (records: [TargetRecord], revision: String) {
        let userID = userID
        return try await database.read { database in
            let rows = try Row.fetchCursor(
                database, sql: "SELECT * FROM target WHERE client_id = ? ORDER BY id", arguments: [clientID])
            var records: [TargetRecord] = []
            while let row = try rows.next() { records.append(TargetRecord(row, userID: userID)) }
            return (records, try Self.revision(of: clientID, userID: userID, in: database))
        }
    }

    package func get(_ identity: TargetIdentity) async throws -> TargetRecord? {
        let userID = userID
        return try await database.read { try Self.record(of: identity, userID: userID, in: $0) }
    }

    /// Creates all of them or none.
    ///
    /// - Parameters:
    ///   - holder: of the token, for the audit.
    ///   - once: with the same key and the same drafts it is done once, within a day: the later answers are the first one's targets.
    /// - Throws: ``Full`` when the client would have more than ``targetsPerClientMax``, ``Reused``.
    package func create(_ drafts: [TargetDraft], clientID: String, once: String? = nil, by holder: String? = nil) async throws
        -> [TargetRecord]
    {
        let (userID, moment) = (userID, now())
        let records = try await database.write { database in
            if let once, let known = try RepeatedCreates.find(once, drafts, clientID, userID, at: moment, in: database) {
                return known
            }
            let count = try Int.fetchOne(
                database, sql: "SELECT count(*) FROM target WHERE client_id = ?", arguments: [clientID])
            guard (count ?? 0) + drafts.count <= Self.targetsPerClientMax else { throw Full.full }
            try database.execute(sql: TargetSchema.revise, arguments: [clientID])
            let records = try drafts.map { draft in
                let record = TargetRecord(
                    pKey: clientID, sKey: Self.newKey(), name: draft.name, baseURL: draft.baseURL, testPath: draft.testPath,
                    region: draft.region, ruleEffect: draft.ruleEffect ?? .allow, userID: userID, clientID: clientID,
                    parentID: clientID, createdAt: moment, updatedAt: moment)
                try database.cachedStatement(sql: TargetSchema.insert).execute(arguments: [
                    clientID, record.sKey, record.name, record.baseURL, record.testPath, record.region,
                    record.ruleEffect.rawValue, moment.milliseconds, moment.milliseconds,
                ])
                try TargetAudit.write("create", clientID, record.sKey, nil, record, by: holder, at: moment, in: database)
                return record
            }
            if let once { try RepeatedCreates.persist(once, drafts, records, clientID, at: moment, in: database) }
            return records
        }
        onChange(clientID)
        return records
    }

    /// Changes only what `change` holds. nil when there is no such target.
    ///
    /// - Parameter isExpected: asked within the transaction whether the target is still as it was read.
    /// - Throws: ``Stale`` when it isn't.
    package func update(
        _ identity: TargetIdentity, _ change: TargetChange, by holder: String? = nil,
        isExpected: @escaping @Sendable (TargetRecord) -> Bool = { _ in true }
    ) async throws -> TargetRecord? {
        let (userID, moment) = (userID, now())
        let changed: TargetRecord? = try await database.write { database in
            guard var record = try Self.record(of: identity, userID: userID, in: database) else { return nil }
            guard isExpected(record) else { throw Stale() }
            try database.execute(sql: TargetSchema.revise, arguments: [identity.clientID])
            let before = record
            record.name = change.name ?? record.name
            record.baseURL = change.baseURL ?? record.baseURL
            record.testPath = change.testPath ?? record.testPath
            record.ruleEffect = change.ruleEffect ?? record.ruleEffect
            // It is a new time even within a millisecond, and when the clock was set back.
            let earliest = record.updatedAt.map { $0 + .milliseconds(1) } ?? moment
            let updatedAt = max(moment, earliest)
            record.updatedAt = updatedAt
            try database.execute(
                sql: """
                    UPDATE target SET name = ?, base_url = ?, test_path = ?, rule_effect = ?, updated_at_ms = ?
                    WHERE client_id = ? AND key = ?
                    """,
                arguments: [
                    record.name, record.baseURL, record.testPath, record.ruleEffect.rawValue, updatedAt.milliseconds,
                    identity.clientID, identity.key,
                ])
            try TargetAudit.write(
                "update", identity.clientID, identity.key, before, record, by: holder, at: updatedAt, in: database)
            return record
        }
        if changed != nil { onChange(identity.clientID) }
        return changed
    }

    /// false when there is no such target.
    ///
    /// - Parameter isExpected: as at ``update(_:_:isExpected:)``.
    package func delete(
        _ identity: TargetIdentity, by holder: String? = nil,
        isExpected: @escaping @Sendable (TargetRecord) -> Bool = { _ in true }
    ) async throws -> Bool {
        let (userID, moment) = (userID, now())
        let isGone = try await database.write { database in
            guard let record = try Self.record(of: identity, userID: userID, in: database) else { return false }
            guard isExpected(record) else { throw Stale() }
            try database.execute(sql: TargetSchema.revise, arguments: [identity.clientID])
            try database.execute(
                sql: "DELETE FROM target WHERE client_id = ? AND key = ?", arguments: [identity.clientID, identity.key])
            let isGone = database.changesCount > 0
            try TargetAudit.write("delete", identity.clientID, identity.key, record, nil, by: holder, at: moment, in: database)
            return isGone
        }
        if isGone { onChange(identity.clientID) }
        return isGone
    }

    static func record(of identity: TargetIdentity, userID: String, in database: Database) throws -> TargetRecord? {
        let row = try Row.fetchOne(
            database, sql: "SELECT * FROM target WHERE client_id = ? AND key = ?",
            arguments: [identity.clientID, identity.key])
        return row.map { TargetRecord($0, userID: userID) }
    }

    /// 96 random bits: never given twice, not even after a delete.
    private static func newKey() -> String {
        "tgt_" + Hex.text((0..<12).map { _ in UInt8.random(in: .min ... .max) })
    }
}

extension TargetRecord {
    fileprivate init(_ row: Row, userID: String) {
        let clientID: String = row["client_id"]
        self.init(
            pKey: clientID, sKey: row["key"], name: row["name"], baseURL: row["base_url"], testPath: row["test_path"],
            region: row["region"], ruleEffect: Target.RuleEffect(rawValue: row["rule_effect"]), userID: userID,
            clientID: clientID, parentID: clientID, createdAt: Timestamp(milliseconds: row["created_at_ms"]),
            updatedAt: Timestamp(milliseconds: row["updated_at_ms"]))
    }
}
