import Health
import TargetsAPI
import TestSupport
import Testing

@testable import TargetsServer

private let draft = TargetDraft(name: "n", baseURL: "http://a", testPath: "/t", region: "r")

@Suite struct TargetStoreTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func targetsAndTheirUserSurviveARestart() async throws {
        let database = folder.file("targets.db")
        let created = try await withServer(database: database) { try await client(port: $0).create(draft) }
        let key = try #require(created.sKey)
        let found = try await withServer(database: database) { try await client(port: $0).get(key) }
        #expect(found == created)
    }

    @Test func aSecondOpenerSeesWhatWasCommittedWithoutAClose() async throws {
        let first = try TargetStore(path: folder.file("targets.db"))
        let created = try await first.create([draft], clientID: "c")
        let second = try TargetStore(path: folder.file("targets.db"))
        #expect(try await second.list(clientID: "c").records == created)
        try first.close()
        try second.close()
    }

    @Test func aListIsInTheOrderOfCreation() async throws {
        let store = try TargetStore(path: folder.file("targets.db"))
        let names = (0..<50).map { "n\($0)" }
        _ = try await store.create(
            names.map { TargetDraft(name: $0, baseURL: "b", testPath: "/", region: "r") }, clientID: "c")
        #expect(try await store.list(clientID: "c").records.map(\.name) == names)
        try store.close()
    }

    @Test func aFullClientTakesNoMoreAndKeepsWhatItHas() async throws {
        let store = try TargetStore(path: folder.file("targets.db"))
        _ = try await store.create([draft], clientID: "c")
        let tooMany = [TargetDraft](repeating: draft, count: TargetStore.targetsPerClientMax)
        await #expect(throws: TargetStore.Full.full) { try await store.create(tooMany, clientID: "c") }
        #expect(try await store.list(clientID: "c").records.count == 1)
        try store.close()
    }

    @Test func aFileThatIsNoDatabaseIsAnError() async throws {
        #expect(throws: (any Error).self) { try TargetStore(path: folder.path) }
    }

    @Test func aPortInUseIsAnErrorOfRun() async throws {
        try await withServer(database: folder.file("a.db")) { port in
            let store = try TargetStore(path: folder.file("b.db"))
            let second = TargetsServer(
                configuration: .init(host: "127.0.0.1", port: port, tokens: [AccessToken(name: "all", secret: Secret("t"))]),
                store: store)
            await #expect(throws: (any Error).self) { try await second.run() }
            try store.close()
        }
    }
}
