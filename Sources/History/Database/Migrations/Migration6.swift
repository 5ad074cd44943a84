import GRDB

/// The probe settings that stand beside a target in a targets file.
@Sendable func addOwnSettings(_ db: Database) throws {
    try db.execute(sql: "ALTER TABLE target ADD COLUMN probe TEXT;")
}
