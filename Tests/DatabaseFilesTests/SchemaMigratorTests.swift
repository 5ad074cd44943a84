import GRDB
import TestSupport
import Testing

@testable import DatabaseFiles

@Suite struct SchemaMigratorTests {
    private let folder: TemporaryFolder
    private let queue: DatabaseQueue

    init() throws {
        folder = try TemporaryFolder()
        queue = try DatabaseQueue(path: folder.file("a.db"))
    }

    private static let create: [SchemaMigrator.Migration] = ["one", "two", "three"].map { name in
        (name, { db in try db.execute(sql: "CREATE TABLE \(name) (a INTEGER)") })
    }

    private func migrator(_ count: Int) -> SchemaMigrator { SchemaMigrator(Array(Self.create.prefix(count))) }

    private var userVersion: Int? { get throws { try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } } }

    private var tables: [String] {
        get throws {
            try queue.read {
                try String.fetchAll($0, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid")
            }
        }
    }

    private var applied: Set<String> {
        get throws { try queue.read { try String.fetchSet($0, sql: "SELECT identifier FROM grdb_migrations") } }
    }

    @Test func theVersionOfTheDatabaseRisesWithEachMigration() throws {
        try migrator(1).migrate(queue)
        #expect(try userVersion == 1)
        try migrator(3).migrate(queue)
        #expect(try userVersion == 3)
        #expect(try applied == ["one", "two", "three"])
    }

    @Test(arguments: 1...3)
    func aDatabaseThatHasOnlyANumberKeepsItsMigrations(_ version: Int) throws {
        try queue.writeWithoutTransaction { db in
            for migration in Self.create.prefix(version) { try migration.apply(db) }
            try db.execute(sql: "PRAGMA user_version = \(version)")
        }
        // A table that is created twice would be an error.
        try migrator(3).migrate(queue)
        #expect(try userVersion == 3)
        #expect(try applied == ["one", "two", "three"])
    }

    @Test func aDatabaseThatHasOnlyNamesGetsItsNumber() throws {
        try migrator(2).migrate(queue)
        try queue.write { try $0.execute(sql: "PRAGMA user_version = 0") }
        try migrator(2).migrate(queue)
        #expect(try userVersion == 2)
    }

    /// A version that doesn't know the names has applied one more migration since.
    @Test func aDatabaseWhoseNamesHaveFallenBehindItsNumberKeepsItsMigrations() throws {
        try migrator(1).migrate(queue)
        try queue.write { db in
            try Self.create[1].apply(db)
            try db.execute(sql: "PRAGMA user_version = 2")
        }
        try migrator(3).migrate(queue)
        #expect(try applied == ["one", "two", "three"])
    }

    @Test func aMigrationThatFailsHalfWayChangesNothing() throws {
        try migrator(1).migrate(queue)
        let failing = SchemaMigrator([
            Self.create[0],
            (
                "two",
                { db in
                    try db.execute(sql: "CREATE TABLE two (a INTEGER); INSERT INTO one VALUES (1); PRAGMA user_version = 7")
                    throw DatabaseError(resultCode: .SQLITE_FULL)
                }
            ),
        ])
        let error = #expect(throws: DatabaseError.self) { try failing.migrate(queue) }
        #expect(error?.resultCode == .SQLITE_FULL)
        #expect(try userVersion == 1)
        #expect(try tables == ["grdb_migrations", "one"])
        #expect(try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM one") } == 0)
        try migrator(2).migrate(queue)
        #expect(try userVersion == 2)
    }

    @Test func comparesAnOlderDatabase() throws {
        #expect(try queue.read { try migrator(2).compare($0) } == (.older, 0))
        try migrator(1).migrate(queue)
        #expect(try queue.read { try migrator(2).compare($0) } == (.older, 1))
    }

    @Test func comparesAnEqualDatabase() throws {
        try migrator(2).migrate(queue)
        #expect(try queue.read { try migrator(2).compare($0) } == (.equal, 2))
    }

    @Test func aMigrationWithAnUnknownNameMakesADatabaseNewer() throws {
        try migrator(2).migrate(queue)
        try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('unheard')") }
        #expect(try queue.read { try migrator(2).compare($0) } == (.newer, 2))
    }

    @Test func aHigherNumberMakesADatabaseNewer() throws {
        try queue.write { try $0.execute(sql: "PRAGMA user_version = 3") }
        #expect(try queue.read { try migrator(2).compare($0) } == (.newer, 3))
    }

    /// The other program applies a migration in the moment in which this one has no lock.
    @Test func aMigrationThatAnotherProgramAppliesMeanwhileIsNotApplied() throws {
        let other = try DatabaseQueue(path: folder.file("a.db"))
        let otherMigrator = migrator(2)
        let racing = SchemaMigrator([
            (
                "one",
                { db in
                    try Self.create[0].apply(db)
                    db.afterNextTransaction { _ in try? otherMigrator.migrate(other) }
                }
            ),
            Self.create[1], Self.create[2],
        ])
        try racing.migrate(queue)
        #expect(try applied == ["one", "two", "three"])
        #expect(try userVersion == 3)
    }
}
