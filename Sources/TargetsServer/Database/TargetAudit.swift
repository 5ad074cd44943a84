internal import GRDB
internal import Health
internal import TargetsAPI

/// Every change of a target, written in the transaction of the change.
enum TargetAudit {
    static func write(
        _ action: String, _ clientID: String, _ key: String?, _ before: TargetRecord?, _ after: TargetRecord?,
        by holder: String?, at moment: Timestamp, in database: Database
    ) throws {
        func text(_ record: TargetRecord?) -> String? { record.map { String(decoding: $0.json, as: UTF8.self) } }
        try database.cachedStatement(
            sql: "INSERT INTO audit (at_ms, client_id, key, action, before, after, holder) VALUES (?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [moment.milliseconds, clientID, key, action, text(before), text(after), holder])
    }
}

/// The creates that came with an idempotency key, each written in its transaction: the same create that comes again is answered with its first
/// targets.
enum RepeatedCreates {
    private static let keysKept: Duration = .seconds(24 * 3600)

    /// The targets that were made when this key came first; nil when it comes now.
    ///
    /// - Throws: ``TargetStore/Reused``.
    static func find(
        _ once: String, _ drafts: [TargetDraft], _ clientID: String, _ userID: String, at moment: Timestamp, in database: Database
    ) throws -> [TargetRecord]? {
        try database.execute(
            sql: "DELETE FROM idempotency WHERE at_ms < ?", arguments: [(moment + (.zero - keysKept)).milliseconds])
        let row = try Row.fetchOne(
            database, sql: "SELECT draft, target_key FROM idempotency WHERE client_id = ? AND key = ?",
            arguments: [clientID, once])
        guard let row else { return nil }
        let key: String = row["target_key"]
        guard row["draft"] == text(drafts),
            let record = try TargetStore.record(of: TargetIdentity(clientID: clientID, key: key), userID: userID, in: database)
        else { throw TargetStore.Reused.reused }
        return [record]
    }

    static func persist(
        _ once: String, _ drafts: [TargetDraft], _ records: [TargetRecord], _ clientID: String, at moment: Timestamp,
        in database: Database
    ) throws {
        try database.execute(
            sql: "INSERT INTO idempotency (client_id, key, draft, target_key, at_ms) VALUES (?, ?, ?, ?, ?)",
            arguments: [clientID, once, text(drafts), records.first?.sKey ?? "", moment.milliseconds])
    }

    private static func text(_ drafts: [TargetDraft]) -> String {
        drafts.map { String(decoding: $0.json, as: UTF8.self) }.joined(separator: "\n")
    }
}
