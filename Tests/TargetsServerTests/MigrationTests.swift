import DatabaseFiles
import GRDB
import TargetsAPI
import TestSupport
import Testing

@testable import TargetsServer

@Suite struct MigrationTests {
    private let folder: TemporaryFolder
    private var path: String { folder.file("targets.db") }

    init() throws { folder = try TemporaryFolder() }

    private static let released: [SchemaMigrator.Migration] = [
        ("targets", createTargets), ("revisions", createRevisions), ("audit", createAudit), ("holders", addTokenHolders),
    ]

    private func integer(_ sql: String) throws -> Int? {
        try DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: sql) }
    }

    private func expectThatItTakesATarget() async throws {
        let store = try TargetStore(path: path)
        _ = try await store.create(
            [TargetDraft(name: "n", baseURL: "https://a", testPath: "/", region: "r")], clientID: "c", by: "holder")
        #expect(try await store.list(clientID: "c").records.count == 1)
        try store.close()
        #expect(try integer("PRAGMA user_version") == 4)
        #expect(try integer("SELECT count(*) FROM grdb_migrations") == 4)
    }

    /// Versions that wrote no number are known by the names of their migrations.
    @Test(arguments: 1...4)
    func aDatabaseOfAnOlderVersionIsBroughtUpToDate(_ version: Int) async throws {
        var migrator = DatabaseMigrator()
        for migration in Self.released.prefix(version) { migrator.registerMigration(migration.name, migrate: migration.apply) }
        try migrator.migrate(DatabaseQueue(path: path))
        #expect(try integer("PRAGMA user_version") == 0)
        try await expectThatItTakesATarget()
    }

    @Test(arguments: 1...4)
    func aDatabaseThatHasOnlyANumberIsTakenOver(_ version: Int) async throws {
        try await DatabaseQueue(path: path).writeWithoutTransaction { db in
            for migration in Self.released.prefix(version) { try migration.apply(db) }
            try db.execute(sql: "PRAGMA user_version = \(version)")
        }
        try await expectThatItTakesATarget()
    }

    @Test(arguments: ["PRAGMA user_version = 5", "INSERT INTO grdb_migrations VALUES ('unheard')"])
    func aDatabaseOfANewerVersionIsRefused(_ change: String) throws {
        try TargetStore(path: path).close()
        try DatabaseQueue(path: path).writeWithoutTransaction { try $0.execute(sql: change) }
        let error = #expect(throws: StoreError.self) { try TargetStore(path: path) }
        #expect(error?.code == .newerSchema)
        #expect(
            error?.description.hasPrefix("the targets database \(path) was written by a newer version of rangefinder (schema ")
                == true)
    }
}
