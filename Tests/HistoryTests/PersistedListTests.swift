import GRDB
import Health
import TestSupport
import Testing

@testable import History

@Suite struct PersistedListTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func afterRestart(_ list: [Target]) async throws -> [String: [Target]] {
        let history = try folder.open()
        history.persist(list: list, client: "client")
        await history.close()
        let later = try folder.open()
        let lists = try later.persistedLists()
        await later.close()
        return lists
    }

    @Test func hostileNamesAndTwoOfOneNameComeBackExactly() async throws {
        let hostile = String((0..<32).map { Character(Unicode.Scalar($0)) }) + "\u{1b}[2J\u{202e}'; DROP TABLE target; --\u{7f}"
        let list = [
            Sample.target("a", name: hostile), Sample.target("b", name: hostile), Sample.target("c", name: ""),
            Sample.target("d\0one", name: "after\0NUL"), Sample.target("d\0two", name: "e\u{301}"),
        ]
        #expect(try await afterRestart(list) == ["client": list])
    }

    @Test func anEmptyListIsNotTheSameAsNone() async throws {
        #expect(try await afterRestart([]) == ["client": []])
    }

    @Test func theSecondOfTwoWithOneIdentityIsLeftOut() async throws {
        let first = Sample.target("a", name: "first")
        #expect(try await afterRestart([first, Sample.target("a", name: "second")]) == ["client": [first]])
    }

    @Test func aNewListReplacesTheOldOneOfItsClientOnly() async throws {
        let history = try folder.open()
        let other = Sample.target("z", client: "other")
        history.persist(list: [Sample.target("a"), Sample.target("b")], client: "client")
        history.persist(list: [other], client: "other")
        await history.flush()
        let renamed = Sample.target("b", name: "renamed")
        history.persist(list: [renamed, Sample.target("c")], client: "client")
        await history.flush()
        #expect(try history.persistedLists() == ["client": [renamed, Sample.target("c")], "other": [other]])
        await history.close()
    }

    @Test func aTargetThatLeavesBeforeItsListIsWrittenKeepsItsName() async throws {
        let history = try folder.open()
        history.persist(list: [Sample.target("a", name: "Gone"), Sample.target("b")], client: "client")
        history.append(removalOf: Sample.target("a").identity, closing: nil)
        history.persist(list: [Sample.target("b")], client: "client")
        await history.flush()
        let names = try await history.queue.read {
            try String.fetchAll($0, sql: "SELECT name FROM target WHERE target_id = 'a' AND listed = 0")
        }
        #expect(names == ["Gone"])
        #expect(try history.persistedLists() == ["client": [Sample.target("b")]])
        await history.close()
    }

    @Test func aForgottenClientHasNoListAndItsTargetsAreNotListed() async throws {
        let history = try folder.open()
        history.persist(list: [Sample.target("a")], client: "client")
        history.persist(list: [], client: "other")
        await history.flush()
        history.forget(client: "client")
        await history.flush()
        #expect(try history.persistedLists() == ["other": []])
        #expect(try HistoryReader.open(path: folder.database).statuses().isEmpty)
        history.persist(list: [Sample.target("a")], client: "client")
        await history.flush()
        #expect(try history.persistedLists()["client"] == [Sample.target("a")])
        await history.close()
    }

    @Test func anUnchangedListWritesNothing() async throws {
        let list = (0..<100).map { Sample.target("tgt_\($0)") }
        _ = try await afterRestart(list)
        let history = try folder.open()
        let changes = { try history.queue.read { try Int.fetchOne($0, sql: "SELECT total_changes()") } }
        let before = try changes()
        history.persist(list: list, client: "client")
        await history.flush()
        #expect(try changes() == before)
        await history.close()
    }

    @Test func aNewNameIsTheNameOfTheOldRows() async throws {
        let history = try folder.open()
        history.append(Sample.record())
        await history.flush()
        #expect(try folder.texts("SELECT target FROM probe_history") == ["tgt_1"])
        history.persist(list: [Sample.target(name: "new name")], client: "client")
        await history.close()
        #expect(try folder.texts("SELECT target FROM probe_history") == ["new name"])
    }
}
