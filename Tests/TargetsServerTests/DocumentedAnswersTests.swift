import TargetsAPI
import TestSupport
import Testing

/// The JSON of the Targets API's document, exactly as it stands there.
private enum Documented {
    static let list = #"""
        {"targets":[{"pKey":"550e8400-e29b-41d4-a716-446655440000","sKey":"tgt_789e4567","targetName":"Stripe API","targetBaseURL":"https://api.stripe.com","targetTestPath":"/v1/customers","targetRegion":"us-east-1","targetDefaultRuleEffect":"allow","userId":"123e4567-e89b-12d3-a456-426614174000","clientId":"550e8400-e29b-41d4-a716-446655440000","parentId":"550e8400-e29b-41d4-a716-446655440000","targetCreatedAt":"2024-01-22T12:00:00.000Z","targetUpdatedAt":"2024-01-22T12:00:00.000Z"}],"message":"Success"}
        """#

    static let create =
        #"{"targetName":"Stripe API","targetRegion":"us-east-1","targetBaseURL":"https://api.stripe.com","targetTestPath":"/v1/customers","targetDefaultRuleEffect":"allow"}"#

    static let created = #"""
        {"targets":[{"targetName":"Stripe API","targetBaseURL":"https://api.stripe.com","targetTestPath":"/v1/customers","targetRegion":"us-east-1","targetDefaultRuleEffect":"allow","clientId":"550e8400-e29b-41d4-a716-446655440000","userId":"123e4567-e89b-12d3-a456-426614174000","parentId":"550e8400-e29b-41d4-a716-446655440000","targetCreatedAt":"2024-01-22T12:00:00.000Z","targetUpdatedAt":"2024-01-22T12:00:00.000Z"}],"message":"Target created successfully"}
        """#

    static let deleted = #"{"message":"Target deleted successfully"}"#
    /// The server makes these up.
    static let generated: Set<String> = ["sKey", "userId"]
}

@Suite struct DocumentedAnswersTests {
    private let clock = SettableClock("2024-01-22T12:00:00.000Z")

    /// Every member that the document shows is there with the document's value; the generated ones are there.
    private func expectAnswer(_ answer: WireAnswer, isLike documented: String, updatedAt: String? = nil, message: String? = nil)
        throws
    {
        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == "application/json")
        let (given, wanted) = (try Envelope(answer.text), try Envelope(documented))
        #expect(given.message == message ?? wanted.message)
        let record = try #require(given.targets?.first)
        #expect(given.targets?.count == 1)
        for (member, value) in wanted.targets?.first ?? [:] {
            if Documented.generated.contains(member) {
                #expect(record[member]?.isEmpty == false, "\(member)")
            } else {
                #expect(record[member] == (member == "targetUpdatedAt" ? updatedAt ?? value : value), "\(member)")
            }
        }
        #expect(record["pKey"] == documentedClient)
        #expect(record["sKey"]?.hasPrefix("tgt_") == true)
    }

    @Test func createListAndGetAnswerAsDocumented() async throws {
        try await withServer(now: clock.now) { port in
            let created = try await exchange(port, request("POST", targetsPath, body: Documented.create))
            try expectAnswer(created, isLike: Documented.created)
            let list = try await exchange(port, request("GET", targetsPath))
            try expectAnswer(list, isLike: Documented.list)
            let key = try #require(try Envelope(list.text).targets?.first?["sKey"])
            try expectAnswer(try await exchange(port, request("GET", "\(targetsPath)/\(key)")), isLike: Documented.list)
        }
    }

    @Test func updateAnswersAsDocumentedWithANewTime() async throws {
        try await withServer(now: clock.now) { port in
            let key = try await client(port: port).create(.init(json: Array(Documented.create.utf8))).sKey
            clock.set("2024-01-22T12:30:00.000Z")
            let updated = try await exchange(
                port,
                request("PUT", "\(targetsPath)/\(try #require(key))", body: #"{"targetName":"Stripe API"}"#))
            try expectAnswer(
                updated, isLike: Documented.created, updatedAt: "2024-01-22T12:30:00.000Z",
                message: "Target updated successfully")
        }
    }

    @Test func deleteAnswersWithTheMessageAlone() async throws {
        try await withServer { port in
            let key = try await client(port: port).create(.init(json: Array(Documented.create.utf8))).sKey
            let place = "\(targetsPath)/\(try #require(key))"
            let deleted = try await exchange(port, request("DELETE", place))
            #expect((deleted.status, deleted.text) == (200, Documented.deleted))
            #expect(try await exchange(port, request("GET", place)).status == 404)
        }
    }

    @Test func anEmptyListIsASuccess() async throws {
        try await withServer { port in
            let answer = try await exchange(port, request("GET", targetsPath))
            #expect((answer.status, answer.text) == (200, #"{"targets":[],"message":"Success"}"#))
        }
    }

    @Test func theRuleEffectIsAllowWhenLeftOut() async throws {
        try await withServer { port in
            let body = Documented.create.replacing(#","targetDefaultRuleEffect":"allow""#, with: "")
            let answer = try await exchange(port, request("POST", targetsPath, body: body))
            #expect(try Envelope(answer.text).targets?.first?["targetDefaultRuleEffect"] == "allow")
        }
    }

    @Test func aQueryAndAnEncodedIdAreUnderstood() async throws {
        try await withServer { port in
            try await expectStatus(200, port, request("GET", "/api/clients/a%2Fb/targets?page=1"))
        }
    }

    private func expectStatus(_ status: Int, _ port: Int, _ request: WireRequest) async throws {
        #expect(try await exchange(port, request).status == status)
    }
}
