import GRDB

/// An hour is made of its minutes once it is over, and a day of six hours at a time: until then the time in each state is in `standing`.
///
/// All rows of `hour` count as added up, so that the minutes of the hour that was open aren't added again. The day that was growing is made
/// anew of its hours.
@Sendable func addFinishedHours(_ db: Database) throws {
    try db.execute(
        sql: """
            ALTER TABLE standing ADD COLUMN hour INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE standing ADD COLUMN up_ms INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE standing ADD COLUMN degraded_ms INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE standing ADD COLUMN down_ms INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE standing ADD COLUMN maintenance_ms INTEGER NOT NULL DEFAULT 0;
            INSERT INTO progress SELECT 'minutes_in_hours', coalesce(max(id) | 4194303, 0) FROM hour;
            INSERT INTO progress
            SELECT 'hours_in_days', CASE value WHEN 0 THEN 0 ELSE (((value >> 22) / 24 * 4 - 1) << 22) | 4194303 END
            FROM progress WHERE name = 'hour_in_day';
            DELETE FROM day WHERE id >= (SELECT (value >> 22) / 24 FROM progress WHERE name = 'hour_in_day' AND value > 0) << 22;
            DELETE FROM day_phases WHERE id >= (SELECT (value >> 22) / 24 FROM progress WHERE name = 'hour_in_day' AND value > 0) << 22;
            DELETE FROM progress WHERE name = 'hour_in_day';
            DROP VIEW availability_history;
            CREATE VIEW availability_history AS SELECT \(ViewSQL.availabilityColumns) FROM \(ViewSQL.availabilitySources);
            """)
}
