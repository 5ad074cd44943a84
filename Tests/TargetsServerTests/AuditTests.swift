import Foundation
import Health
import TargetsAPI
import TestSupport
import Testing

@testable import TargetsServer

@Suite struct AuditTests {
    private let folder: TemporaryFolder
    private let clock = SettableClock("2026-01-01T00:00:00.000Z")
    private let draft = TargetDraft(name: "n", baseURL: "https://a", testPath: "/", region: "r")

    init() throws { folder = try TemporaryFolder() }

    private func store() throws -> TargetStore { try TargetStore(path: folder.file("targets.db"), now: clock.now) }

    private func sql(_ query: String) throws -> ChildProcess.Ended {
        try ChildProcess.run("sqlite3", [folder.file("targets.db"), query])
    }

    @Test func everyChangeIsKeptWithWhatWasBeforeAndCannotBeTakenBack() async throws {
        let store = try store()
        let record = try #require(try await store.create([draft], clientID: "c").first)
        let identity = TargetIdentity(clientID: "c", key: try #require(record.sKey))
        _ = try await store.update(identity, TargetChange(name: "m"))
        _ = try await store.delete(identity)
        _ = try await store.delete(identity)
        let query =
            "SELECT action, json_extract(before, '$.targetName'), json_extract(after, '$.targetName') FROM audit ORDER BY id"
        #expect(try sql(query).output == "create||n\nupdate|n|m\ndelete|m|\n")
        let replaced = "INSERT OR REPLACE INTO audit (id, at_ms, client_id, key, action) VALUES (1, 0, 'c', 'k', 'delete')"
        for change in ["DELETE FROM audit", "UPDATE audit SET after = NULL", replaced] {
            #expect(try sql(change).output.contains("the audit is append-only"))
        }
        #expect(try sql("SELECT count(*) FROM audit").output == "3\n")
        try store.close()
    }

    @Test func aCreateThatIsSentAgainIsDoneOnce() async throws {
        let store = try store()
        let first = try await store.create([draft], clientID: "c", once: "k")
        #expect(try await store.create([draft], clientID: "c", once: "k") == first)
        // Of another client, or by another key, it is another one.
        #expect(try await store.create([draft], clientID: "d", once: "k") != first)
        #expect(try await store.create([draft], clientID: "c", once: "l") != first)
        #expect(try await store.list(clientID: "c").records.count == 2)
        var other = draft
        other.name = "m"
        await #expect(throws: TargetStore.Reused.reused) { try await store.create([other], clientID: "c", once: "k") }
        // A day later the key is free again.
        clock.set("2026-01-02T00:00:01.000Z")
        #expect(try await store.create([draft], clientID: "c", once: "k") != first)
        try store.close()
    }

    @Test func theKeyComesWithTheRequest() async throws {
        let body = #"{"targetName":"n","targetRegion":"r","targetBaseURL":"https://a","targetTestPath":"/"}"#
        try await withServer { port in
            func create(_ key: String, _ body: String) async throws -> WireAnswer {
                try await exchange(port, request("POST", targetsPath, headers: [("Idempotency-Key", key)], body: body))
            }
            let first = try await create("k1", body)
            #expect(first.status == 200)
            #expect(try await create("k1", body).text == first.text)
            #expect(try await create("k1", body.replacingOccurrences(of: "\"n\"", with: "\"m\"")).status == 422)
            #expect(try await create(String(repeating: "k", count: 256), body).status == 400)
            let list = try Envelope(try await exchange(port, request("GET", targetsPath)).text)
            #expect(list.targets?.count == 1)
        }
    }
}
