import Health
import TargetsAPI
import TestSupport
import Testing

@testable import TargetsServer

private let draft = TargetDraft(name: "n", baseURL: "http://a", testPath: "/t", region: "r", ruleEffect: .deny)

/// The client of TargetsAPI and the server, over a real socket.
@Suite struct BothSidesTests {
    @Test func whatIsCreatedIsListedAndGotAlike() async throws {
        try await withServer { port in
            let created = try await client(port: port).create(draft)
            let key = try #require(created.sKey)
            #expect(try await client(port: port).get(key) == created)
            let listed = Target(
                identity: TargetIdentity(clientID: documentedClient, key: key), name: "n", baseURL: "http://a",
                testPath: "/t", region: "r", ruleEffect: .deny)
            #expect(try await client(port: port).list() == TargetList(targets: [listed]))
        }
    }

    @Test func anUpdateChangesOnlyWhatIsSent() async throws {
        try await withServer { port in
            let created = try await client(port: port).create(draft)
            let key = try #require(created.sKey)
            let updated = try await client(port: port).update(key, TargetChange(testPath: "/new"))
            var expected = created
            (expected.testPath, expected.updatedAt) = ("/new", updated.updatedAt)
            #expect(updated == expected)
            #expect(try await client(port: port).get(key) == updated)
        }
    }

    @Test func everyUpdateHasANewTimeEvenWhenTheClockStandsStill() async throws {
        let clock = SettableClock("2024-01-22T12:00:00.000Z")
        try await withServer(now: clock.now) { port in
            let created = try await client(port: port).create(draft)
            let key = try #require(created.sKey)
            let first = try await client(port: port).update(key, TargetChange(name: "a"))
            let second = try await client(port: port).update(key, TargetChange(name: "b"))
            #expect([created, first, second].map(\.updatedAt?.milliseconds) == [0, 1, 2].map { 1_705_924_800_000 + $0 })
            #expect(second.createdAt == created.createdAt)
        }
    }

    @Test func aDeletedTargetIsGone() async throws {
        try await withServer { port in
            let key = try #require(try await client(port: port).create(draft).sKey)
            try await client(port: port).delete(key)
            #expect(try await client(port: port).list().targets.isEmpty)
            let error = await #expect(throws: APIError.self) { try await client(port: port).delete(key) }
            #expect(error?.httpStatus == 404)
        }
    }

    @Test func oneTokenActsForEveryClientAndClientsDontMix() async throws {
        try await withServer { port in
            let key = try #require(try await client(port: port, clientID: "a b/ü").create(draft).sKey)
            #expect(try await client(port: port, clientID: "a b/ü").list().targets.count == 1)
            #expect(try await client(port: port, clientID: "other").list().targets.isEmpty)
            let error = await #expect(throws: APIError.self) { try await client(port: port, clientID: "other").get(key) }
            #expect(error?.httpStatus == 404)
        }
    }

    @Test func aWrongTokenIsUnauthorized() async throws {
        try await withServer { port in
            let error = await #expect(throws: APIError.self) { try await client(port: port, token: "wrong").list() }
            #expect(error?.code == .unauthorized)
        }
    }

    @Test func foreignTextStaysExact() async throws {
        try await withServer { port in
            var odd = draft
            odd.name = "\u{1B}[2J\u{07}\u{202E}\"\\/\r\n'; DROP TABLE target; --😀"
            odd.baseURL = "no url ☃"
            odd.testPath = ""
            let created = try await client(port: port).create(odd)
            #expect([created.name, created.baseURL, created.testPath] == [odd.name, odd.baseURL, odd.testPath])
            #expect(try await client(port: port).list().targets.map(\.name) == [odd.name])
        }
    }

    @Test func twentyClientsCreatingAtOnceLoseNothing() async throws {
        try await withServer { port in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        for round in 0..<5 {
                            var draft = draft
                            draft.name = "\(number)/\(round)"
                            _ = try await client(port: port).create(draft)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let targets = try await client(port: port).list().targets
            #expect(Set(targets.map(\.name)).count == 100)
            #expect(Set(targets.map(\.identity)).count == 100)
        }
    }
}
