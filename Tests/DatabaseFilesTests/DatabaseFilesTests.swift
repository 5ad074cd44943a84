import GRDB
import Glibc
import TestSupport
import Testing

@testable import DatabaseFiles

@Suite struct DatabaseFilesTests {
    private let folder: TemporaryFolder
    private let queue: DatabaseQueue
    private var path: String { folder.file("a.db") }

    init() throws {
        folder = try TemporaryFolder()
        queue = try DatabaseQueue(path: folder.file("a.db"))
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; CREATE TABLE t (a BLOB)")
        }
        try fill()
    }

    /// 400 KiB, of which the WAL has all.
    private func fill() throws {
        try queue.write { db in
            for _ in 0..<100 { try db.execute(sql: "INSERT INTO t VALUES (randomblob(4000))") }
        }
    }

    private func open() -> DatabaseFiles {
        queue.writeWithoutTransaction { DatabaseFiles(path, openedBy: $0.sqliteConnection) }
    }

    private func look(_ files: inout DatabaseFiles) -> FileChange? {
        queue.writeWithoutTransaction { files.change(seenBy: $0.sqliteConnection) }
    }

    private func checkpoint() throws { try queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) } }

    @Test func whatSQLiteDoesItselfIsNoChange() throws {
        var files = open()
        #expect(look(&files) == nil)
        try checkpoint()
        #expect(look(&files) == nil)
        try fill()
        #expect(look(&files) == nil)
        // The database becomes shorter, at first in the WAL only.
        try queue.writeWithoutTransaction { try $0.execute(sql: "DELETE FROM t; PRAGMA incremental_vacuum") }
        #expect(look(&files) == nil)
        try checkpoint()
        #expect(look(&files) == nil)
        // By another program.
        try fill()
        let other = try ChildProcess.run("sqlite3", [path, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)"])
        #expect(other.status == 0)
        #expect(look(&files) == nil)
        try fill()
        #expect(look(&files) == nil)
    }

    @Test func aDatabaseThatIsDeletedOrReplacedIsGone() throws {
        var files = open()
        #expect(rename(path, folder.file("b.db")) == 0)
        #expect(look(&files) == .gone)
        try folder.write("another", to: "a.db")
        #expect(look(&files) == .gone)
        #expect(rename(folder.file("b.db"), path) == 0)
        #expect(look(&files) == nil)
    }

    @Test(arguments: ["-wal", "-shm"])
    func aCompanionThatIsRemovedIsNoticed(suffix: String) throws {
        var files = open()
        #expect(unlink(path + suffix) == 0)
        #expect(look(&files) == .walGone)
        #expect(files.replaced == .walGone)
    }

    /// The files beside a database are named after the one that a link leads to.
    @Test func throughALinkItIsTheSame() throws {
        #expect(symlink(path, folder.file("link.db")) == 0)
        let linked = try DatabaseQueue(path: folder.file("link.db"))
        var files = try linked.writeWithoutTransaction { db in
            try db.execute(sql: "INSERT INTO t VALUES (1)")
            return DatabaseFiles(folder.file("link.db"), openedBy: db.sqliteConnection)
        }
        #expect(look(&files) == nil)
        #expect(unlink(path + "-wal") == 0)
        #expect(look(&files) == .walGone)
    }

    @Test(arguments: [(true, "", 0), (true, "", 8192), (false, "", 0), (false, "-wal", 0), (false, "-wal", 5000)])
    func aFileThatIsCutShortIsNoticed(isFoldedIn: Bool, suffix: String, bytes: Int) throws {
        if isFoldedIn { try checkpoint() }
        var files = open()
        if isFoldedIn { try fill() }
        #expect(look(&files) == nil)
        #expect(truncate(path + suffix, bytes) == 0)
        #expect(look(&files) == .cutShort)
    }

    /// Nothing was written since it was opened: SQLite hasn't counted its pages.
    @Test func aFileThatIsCutShortBeforeTheFirstWriteIsNoticed() throws {
        try checkpoint()
        try queue.close()
        let again = try DatabaseQueue(path: path)
        var files = try again.writeWithoutTransaction { db in
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM t")
            return DatabaseFiles(path, openedBy: db.sqliteConnection)
        }
        #expect(truncate(path, 0) == 0)
        #expect(again.writeWithoutTransaction { files.change(seenBy: $0.sqliteConnection) } == .cutShort)
    }

    /// As it is, SQLite would end the process by touching it.
    @Test func anIndexThatIsCutShortIsBuiltAgain() throws {
        var files = open()
        #expect(truncate(path + "-shm", 0) == 0)
        #expect(look(&files) == nil)
        #expect(try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM t") } == 100)
        try fill()
        #expect(look(&files) == nil)
        #expect(try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM t") } == 200)
    }
}
