import DatabaseFiles
import GRDB
import Glibc
import Health
import Logging
import TargetsAPI
import TestSupport
import Testing

@testable import TargetsServer

private let body = #"{"targetName":"n","targetRegion":"r","targetBaseURL":"https://a","targetTestPath":"/"}"#

/// What can happen to the database of a server that runs.
@Suite(.timeLimit(.minutes(5))) struct StoreTroubleTests {
    private let folder: TemporaryFolder
    private let log = RecordedLog()
    private var database: String { folder.file("targets.db") }

    init() throws { folder = try TemporaryFolder() }

    private func withTroubledServer(patience: Duration = .seconds(5), _ body: (Int) async throws -> Void) async throws {
        let log = log
        try await withServer(
            database: database, logger: Logger(label: "test") { _ in log }, patience: patience, body)
    }

    private func create(_ port: Int) async throws -> WireAnswer {
        try await exchange(port, request("POST", targetsPath, body: body))
    }

    private func expect(_ status: Int, of answer: WireAnswer, at location: SourceLocation = #_sourceLocation) {
        #expect(answer.status == status, sourceLocation: location)
    }

    private func list(_ port: Int) async throws -> WireAnswer { try await exchange(port, request("GET", targetsPath)) }

    /// The targets that whoever opens the file next would find.
    private func targetsKept(in path: String) throws -> String {
        try ChildProcess.run("sqlite3", [path, "SELECT count(*) FROM target"]).output
    }

    private func troubles() -> [String] { log.lines.filter { $0.contains("The targets database") } }

    @Test(arguments: ["deleted", "renamed", "replaced"])
    func nothingIsWrittenToAFileThatIsNoLongerThere(how: String) async throws {
        try await withTroubledServer { port in
            try await expect(200, of: create(port))
            switch how {
            case "deleted": #expect(unlink(database) == 0)
            case "renamed": #expect(rename(database, folder.file("away.db")) == 0)
            default:
                let other = try TargetStore(path: folder.file("other.db"))
                try other.close()
                #expect(rename(folder.file("other.db"), database) == 0)
            }
            for _ in 0..<3 {
                let (written, read) = (try await create(port), try await list(port))
                #expect((written.status, read.status) == (503, 503))
                let said = try Envelope(written.text).message
                #expect(said == "The server's database was deleted, replaced or cut short; its log says more.")
                #expect(!written.text.contains(folder.path))
            }
        }
        #expect(troubles().count == 2, "\(log.lines)")
        #expect(troubles().allSatisfy { $0.contains("was deleted or replaced under the running server") })
    }

    @Test func aFileThatIsPutBackIsWrittenToAgain() async throws {
        try await withTroubledServer { port in
            #expect(rename(database, folder.file("away.db")) == 0)
            try await expect(503, of: create(port))
            #expect(rename(folder.file("away.db"), database) == 0)
            try await expect(200, of: create(port))
        }
        #expect(try targetsKept(in: database) == "1\n")
        #expect(troubles().last?.contains("can be written again") == true)
    }

    @Test(arguments: ["-wal", "-shm"])
    func whatWasAnsweredIsKeptWhenTheWALIsRemoved(suffix: String) async throws {
        try await withTroubledServer { port in
            try await expect(200, of: create(port))
            #expect(unlink(database + suffix) == 0)
            try await expect(503, of: create(port))
            // As a kill at this moment would leave it.
            let copy = try folder.write(try folder.bytes(of: "targets.db"), to: "copy.db")
            #expect(try targetsKept(in: copy) == "1\n")
        }
        #expect(try targetsKept(in: database) == "1\n")
    }

    @Test func nothingIsWrittenToAFileThatIsCutShort() async throws {
        try await withTroubledServer { port in
            for _ in 0..<3 { try await expect(200, of: create(port)) }
            #expect(truncate(database, 0) == 0)
            try await expect(503, of: create(port))
        }
        #expect(troubles().last?.contains("was cut short under the running server") == true)
    }

    /// What can't be folded in at the end is said.
    @Test func nothingIsWrittenToAWALThatIsCutShort() async throws {
        let error = await #expect(throws: StoreError.self) {
            try await withTroubledServer { port in
                for _ in 0..<3 { try await expect(200, of: create(port)) }
                #expect(truncate(database + "-wal", 0) == 0)
                try await expect(503, of: create(port))
            }
        }
        #expect(error?.code == .database(.inputOutput))
        #expect(troubles().last?.contains("was cut short under the running server") == true)
    }

    @Test func afterACleanStopTheDatabaseIsOneFile() async throws {
        try await withServer(database: database) { port in
            for _ in 0..<3 { try await expect(200, of: create(port)) }
            // Readers are opened by it.
            try await expect(200, of: list(port))
        }
        #expect(access(database + "-wal", F_OK) != 0 && access(database + "-shm", F_OK) != 0)
        let copy = try folder.write(try folder.bytes(of: "targets.db"), to: "copy.db")
        #expect(try targetsKept(in: copy) == "3\n")
    }

    @Test func aReaderThatKeepsTheWALFromBeingFoldedInIsNoSilence() async throws {
        let store = try TargetStore(path: database)
        _ = try await store.create([TargetDraft(name: "n", baseURL: "b", testPath: "/", region: "r")], clientID: "c")
        let reader = try ChildProcess("/usr/bin/stdbuf", ["-oL", "sqlite3", database])
        reader.send(Array("BEGIN; SELECT 'in ' || count(*) FROM target;\n".utf8))
        var said = ""
        while !said.contains("in "), let more = reader.readOutput() { said += String(decoding: more, as: UTF8.self) }
        _ = try await store.create([TargetDraft(name: "m", baseURL: "b", testPath: "/", region: "r")], clientID: "c")
        #expect(throws: StoreError(.database(.locked), path: database, detail: "database is locked")) { try store.close() }
        reader.endInput()
        _ = reader.waitForEnd()
        #expect(try targetsKept(in: database) == "2\n")
    }

    @Test func aLockedDatabaseIsUnavailableForAWhileAndSaidOnce() async throws {
        try await withTroubledServer(patience: .milliseconds(50)) { port in
            let lock = try ChildProcess("/usr/bin/stdbuf", ["-oL", "sqlite3", database])
            lock.send(Array("BEGIN IMMEDIATE; SELECT 'locked';\n".utf8))
            #expect(lock.readOutput() != nil)
            for _ in 0..<3 {
                let answer = try await create(port)
                #expect((answer.status, answer.headers["retry-after"]) == (503, "5"))
                // Readers are in no writer's way.
                try await expect(200, of: list(port))
            }
            lock.send(Array("ROLLBACK; SELECT 'open';\n".utf8))
            #expect(lock.readOutput() != nil)
            try await expect(200, of: create(port))
            lock.endInput()
            _ = lock.waitForEnd()
        }
        #expect(troubles().count == 2, "\(log.lines)")
    }

    /// They would wait for the lock one after the other, each as long as the first.
    @Test func whoWaitsBehindALockWaitsNoLongerThanTheFirst() async throws {
        let store = try TargetStore(path: database, patience: .seconds(2))
        let lock = try ChildProcess("/usr/bin/stdbuf", ["-oL", "sqlite3", database])
        lock.send(Array("BEGIN IMMEDIATE; SELECT 'locked';\n".utf8))
        #expect(lock.readOutput() != nil)
        let draft = TargetDraft(name: "n", baseURL: "b", testPath: "/", region: "r")
        let began = ContinuousClock.now
        let errors = await withTaskGroup(of: StoreError?.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    do { _ = try await store.create([draft], clientID: "c") } catch { return error as? StoreError }
                    return nil
                }
            }
            return await group.reduce(into: [StoreError.Code: Int]()) { $0[$1?.code ?? .other, default: 0] += 1 }
        }
        // One after the other it would be more than two minutes; all at once it is the patience, and what a busy machine adds.
        #expect(began.duration(to: .now) < .seconds(100))
        #expect(errors.keys.allSatisfy { $0 == .database(.locked) || $0 == .crowded }, "\(errors)")
        #expect(
            errors[.crowded, default: 0] > 0 && errors[.database(.locked), default: 0] >= TargetDatabase.writesWaitingMax,
            "\(errors)")
        lock.send(Array("ROLLBACK; SELECT 'open';\n".utf8))
        #expect(lock.readOutput() != nil)
        #expect(try await store.create([draft], clientID: "c").count == 1)
        lock.endInput()
        _ = lock.waitForEnd()
        try store.close()
    }

    @Test func aFullDiskIsUnavailableUntilThereIsRoom() async throws {
        let log = log
        let opened = Watched<TargetStore?>(nil)
        func mayHave(_ pages: String) throws {
            try opened.value?.database.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = \(pages)") }
        }
        let long = body.replacing("https://a", with: "https://a/" + String(repeating: "b", count: 2000))
        try await withServer(
            database: database, logger: Logger(label: "test") { _ in log }, opened: { store in opened.change { $0 = store } }
        ) { port in
            // As many as there are is the least that SQLite takes.
            try mayHave("1")
            var answers: [WireAnswer] = []
            for _ in 0..<20 { answers.append(try await exchange(port, request("POST", targetsPath, body: long))) }
            let refused = answers.drop { $0.status == 200 }
            #expect(!refused.isEmpty && refused.allSatisfy { $0.status == 503 && $0.headers["retry-after"] == nil })
            try await expect(200, of: list(port))
            try mayHave("100000")
            #expect(try await exchange(port, request("POST", targetsPath, body: long)).status == 200)
        }
        #expect(troubles().count == 2 && troubles()[0].contains("the disk is full"), "\(troubles())")
    }

    @Test func aFolderThatIsNotThereIsSaidInOurWords() throws {
        let error = #expect(throws: StoreError.self) { try TargetStore(path: folder.file("nowhere/targets.db")) }
        #expect(error?.code == .database(.cannotOpen))
        #expect("\(error.map { "\($0)" } ?? "")".contains("check that its folder exists"))
    }
}
