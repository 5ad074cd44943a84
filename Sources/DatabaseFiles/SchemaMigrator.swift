package import GRDB

/// The schema of one database as a list of migrations, which GRDB's `DatabaseMigrator` applies.
///
/// GRDB writes the name of each migration that was applied to the table `grdb_migrations`. `user_version` has the number of these
/// migrations, because other programs read that number, and because versions of this program that didn't use GRDB's migrator know nothing
/// else.
package struct SchemaMigrator: Sendable {
    package typealias Migration = (name: String, apply: @Sendable (Database) throws -> Void)

    private let migrator: DatabaseMigrator

    /// - Parameter migrations: in their order. A migration that was released is never changed: another one follows it.
    package init(_ migrations: [Migration]) {
        var migrator = DatabaseMigrator()
        for (index, migration) in migrations.enumerated() {
            // `.deferred` would check all foreign keys before each commit, for which SQLite reads every row of the tables that have some.
            migrator.registerMigration(migration.name, foreignKeyChecks: .immediate) { db in
                try migration.apply(db)
                try db.execute(sql: "PRAGMA user_version = \(index + 1)")
            }
        }
        self.migrator = migrator
    }

    /// `user_version` of a database that has all migrations of this version of the program.
    package var version: Int { migrator.migrations.count }

    /// What a database has in comparison with this version of the program.
    package enum Comparison: Hashable, Sendable {
        /// Migrations are missing.
        case older
        case equal
        /// The database has migrations that this version doesn't know.
        case newer
    }

    /// - Returns: the comparison, and the database's `user_version`.
    package func compare(_ db: Database) throws -> (result: Comparison, userVersion: Int) {
        let userVersion = try Self.userVersion(db)
        if try userVersion > version || migrator.hasBeenSuperseded(db) { return (.newer, userVersion) }
        return (userVersion < version ? .older : .equal, userVersion)
    }

    /// Applies the migrations that are missing, each in a transaction of its own. A migration that fails changes nothing.
    ///
    /// - Precondition: ``compare(_:)`` doesn't answer `newer`.
    package func migrate(_ writer: any DatabaseWriter) throws {
        try writer.writeWithoutTransaction { try reconcile($0) }
        var applied = try writer.read { try migrator.appliedMigrations($0) }
        while true {
            do { return try migrator.migrate(writer) } catch {
                // GRDB reads which migrations are missing before it waits for the lock. Another program that starts at the same moment may
                // have applied one of them meanwhile, and then that one fails here.
                let now = (try? writer.read { try migrator.appliedMigrations($0) }) ?? applied
                guard now.count > applied.count else { throw error }
                applied = now
            }
        }
    }

    /// Makes `grdb_migrations` and `user_version` say the same. The first has less in a database of a version of this program that didn't
    /// use GRDB's migrator. The second has less in a database of a version that didn't write it.
    private func reconcile(_ db: Database) throws {
        guard try Self.userVersion(db) != migrator.appliedMigrations(db).count else { return }
        try db.inTransaction(.immediate) {
            // As GRDB creates it.
            try db.execute(sql: "CREATE TABLE IF NOT EXISTS grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
            let userVersion = try Self.userVersion(db)
            for name in migrator.migrations.prefix(userVersion) {
                try db.execute(sql: "INSERT OR IGNORE INTO grdb_migrations (identifier) VALUES (?)", arguments: [name])
            }
            let applied = try migrator.completedMigrations(db).count
            if applied > userVersion { try db.execute(sql: "PRAGMA user_version = \(applied)") }
            return .commit
        }
    }

    /// A damaged header may have a number below 0.
    private static func userVersion(_ db: Database) throws -> Int {
        max(0, try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0)
    }
}
