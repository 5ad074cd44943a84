import TargetsAPI
import TestSupport
import Testing

@testable import TargetsServer

@Suite struct EntityTagTests {
    private let draft = #"{"targetName":"n","targetRegion":"r","targetBaseURL":"https://a","targetTestPath":"/"}"#

    private func key(of answer: WireAnswer) throws -> String { try #require(try Envelope(answer.text).targets?.first?["sKey"]) }

    @Test func aListThatIsKnownIsNotSentAgainUntilItChanges() async throws {
        try await withServer { port in
            let empty = try await exchange(port, request("GET", targetsPath))
            let tag = try #require(empty.headers["etag"])
            let same = try await exchange(port, request("GET", targetsPath, headers: [("If-None-Match", tag)]))
            #expect(same.status == 304 && same.body.isEmpty && same.headers["etag"] == tag)
            let key = try key(of: try await exchange(port, request("POST", targetsPath, body: draft)))
            var tags: Set = [tag]
            for change in [
                nil, request("PUT", "\(targetsPath)/\(key)", body: #"{"targetName":"m"}"#),
                request("DELETE", "\(targetsPath)/\(key)"),
            ] {
                if let change { _ = try await exchange(port, change) }
                let answer = try await exchange(
                    port, request("GET", targetsPath, headers: [("If-None-Match", tags.joined(separator: ", "))]))
                #expect(answer.status == 200)
                #expect(tags.insert(try #require(answer.headers["etag"])).inserted)
            }
            // Of another client nothing changed.
            let other = try await exchange(port, request("GET", "/api/clients/other/targets"))
            #expect(other.headers["etag"] == tag)
        }
    }

    @Test func aTargetThatWasChangedSinceItWasReadIsNotOverwritten() async throws {
        try await withServer { port in
            let key = try key(of: try await exchange(port, request("POST", targetsPath, body: draft)))
            let place = "\(targetsPath)/\(key)"
            let tag = try #require(try await exchange(port, request("GET", place)).headers["etag"])
            func put(_ name: String, _ tag: String) async throws -> WireAnswer {
                try await exchange(port, request("PUT", place, headers: [("If-Match", tag)], body: #"{"targetName":"\#(name)"}"#))
            }
            let first = try await put("first", tag)
            #expect(first.status == 200)
            let lost = try await put("second", tag)
            #expect(lost.status == 412)
            #expect(try Envelope(lost.text).message.contains("read it again"))
            #expect(try await exchange(port, request("DELETE", place, headers: [("If-Match", tag)])).status == 412)
            #expect(try Envelope(try await exchange(port, request("GET", place)).text).targets?.first?["targetName"] == "first")
            #expect(try await put("third", try #require(first.headers["etag"])).status == 200)
            #expect(try await put("fourth", "*").status == 200)
            #expect(try await exchange(port, request("DELETE", place)).status == 200)
        }
    }

    @Test func theClientAsksByTheTagItWasGiven() async throws {
        try await withServer { port in
            let client = client(port: port)
            guard case .list(let list, let known) = try await client.list(unless: nil) else { throw SupportError("no list") }
            #expect(list.targets.isEmpty && known.tag != nil)
            #expect(try await client.list(unless: known) == .unchanged)
            _ = try await client.create(TargetDraft(name: "n", baseURL: "https://a", testPath: "/", region: "r"))
            guard case .list(let changed, _) = try await client.list(unless: known) else { throw SupportError("no list") }
            #expect(changed.targets.count == 1)
        }
    }

    @Test(arguments: [
        ("\"a-1\"", true), ("W/\"a-1\"", true), ("\"b\", \"a-1\"", true), ("*", true), ("\"a-2\"", false), ("a-1", false),
        ("\"b,*,c\"", false), ("\"b\", *", false),
        ("", false),
    ])
    func tagsAreComparedWhole(header: String, isIn: Bool) {
        #expect(EntityTag("a-1").isIn([header], weakly: true) == isIn)
        #expect(EntityTag("a-1").isIn([header]) == (isIn && !header.hasPrefix("W/")))
    }
}
