import Foundation
import TestSupport
import Testing

/// What the Targets API's document shows: a command, and what it answers. Only the host and the token are replaced.
private struct Example {
    static let host = "https://api.example.com"
    static let token = "YOUR_API_TOKEN"

    let command: String
    let answer: String

    private static let one = "api/clients/550e8400-e29b-41d4-a716-446655440000/targets/tgt_789e4567"

    static let create = Example(
        command: #"""
            curl -X POST "https://api.example.com/api/clients/550e8400-e29b-41d4-a716-446655440000/targets" \
              -H "Authorization: YOUR_API_TOKEN" \
              -H "Content-Type: application/json" \
              -d '{"targetName":"Stripe API","targetRegion":"us-east-1","targetBaseURL":"https://api.stripe.com","targetTestPath":"/v1/customers","targetDefaultRuleEffect":"allow"}'
            """#,
        answer: #"""
            {"targets":[{"targetName":"Stripe API","targetBaseURL":"https://api.stripe.com","targetTestPath":"/v1/customers","targetRegion":"us-east-1","targetDefaultRuleEffect":"allow","clientId":"550e8400-e29b-41d4-a716-446655440000","userId":"123e4567-e89b-12d3-a456-426614174000","parentId":"550e8400-e29b-41d4-a716-446655440000","targetCreatedAt":"2024-01-22T12:00:00.000Z","targetUpdatedAt":"2024-01-22T12:00:00.000Z"}],"message":"Target created successfully"}
            """#)

    static let list = Example(
        command: #"""
            curl -X GET "https://api.example.com/api/clients/550e8400-e29b-41d4-a716-446655440000/targets" \
              -H "Authorization: YOUR_API_TOKEN"
            """#,
        answer: #"""
            {"targets":[{"pKey":"550e8400-e29b-41d4-a716-446655440000","sKey":"tgt_789e4567","targetName":"Stripe API","targetBaseURL":"https://api.stripe.com","targetTestPath":"/v1/customers","targetRegion":"us-east-1","targetDefaultRuleEffect":"allow","userId":"123e4567-e89b-12d3-a456-426614174000","clientId":"550e8400-e29b-41d4-a716-446655440000","parentId":"550e8400-e29b-41d4-a716-446655440000","targetCreatedAt":"2024-01-22T12:00:00.000Z","targetUpdatedAt":"2024-01-22T12:00:00.000Z"}],"message":"Success"}
            """#)

    static let get = Example(
        command: "curl -X GET \"https://api.example.com/\(one)\" -H \"Authorization: YOUR_API_TOKEN\"", answer: list.answer)

    static let update = Example(
        command: #"""
            curl -X PUT "https://api.example.com/\#(one)" \
              -H "Authorization: YOUR_API_TOKEN" \
              -H "Content-Type: application/json" \
              -d '{"targetName":"Stripe API","targetBaseURL":"https://api.stripe.com/v2","targetTestPath":"/v2/health","targetDefaultRuleEffect":"allow"}'
            """#,
        answer: create.answer.replacing("created successfully", with: "updated successfully")
            .replacing("api.stripe.com", with: "api.stripe.com/v2").replacing("/v1/customers", with: "/v2/health"))

    static let delete = Example(
        command: "curl -X DELETE \"https://api.example.com/\(one)\" -H \"Authorization: YOUR_API_TOKEN\"",
        answer: #"{"message":"Target deleted successfully"}"#)
}

/// The document's five examples by the real curl against the running program. They are one story: each needs what came before.
@Suite(.timeLimit(.minutes(5))) struct DocumentedExamplesTests {
    @Test func theFiveExamplesAnswerAsDocumentedWhenRunAsTheyStand() async throws {
        let site = try await API()
        try await site.expectAnswer(to: .create)
        try await site.giveTheTargetItsDocumentedKey()
        try await site.expectAnswer(to: .list)
        try await site.expectAnswer(to: .get)
        try await site.expectAnswer(to: .update)
        try await site.expectAnswer(to: .delete)
        let (status, _) = try await site.run(.get)
        #expect(status == "404 application/json")
    }
}

/// A running program, and a shell that reaches it.
private struct API {
    private let token = "t0ken-of-the-examples"
    private let server: TargetsServerProgram

    private var folder: TemporaryFolder { server.folder }

    init() async throws {
        server = try await TargetsServerProgram(token: token)
        // What the examples don't say stands where curl looks for a person's own options; so the commands stay as they are.
        let options = ["silent", #"noproxy = "*""#, "max-time = 20", #"write-out = "\n%{http_code} %{content_type}""#]
        try folder.write(options.joined(separator: "\n") + "\n", to: ".curlrc")
    }

    /// The status with the content type, and the body.
    func run(_ example: Example) async throws -> (status: String, body: String) {
        let command = example.command.replacing(Example.host, with: server.url).replacing(Example.token, with: token)
        let place = folder.path
        let ended = try await onThread {
            try ChildProcess.run("bash", ["-c", command], environment: ["CURL_HOME": place], errors: .apart)
        }
        #expect(ended.status == 0, "\(ended.errors)")
        let lines = ended.output.split(separator: "\n", omittingEmptySubsequences: false)
        return (String(lines.last ?? ""), lines.dropLast().joined(separator: "\n"))
    }

    /// The server makes up its keys; the examples name theirs. The one target takes that, and the commands stay as they are.
    func giveTheTargetItsDocumentedKey() async throws {
        let database = folder.file("targets.db")
        let ended = try await onThread {
            try ChildProcess.run(
                "sqlite3", ["-cmd", ".timeout 5000", database, "UPDATE target SET key = 'tgt_789e4567'; SELECT changes()"])
        }
        #expect(ended.output == "1\n")
    }

    func expectAnswer(to example: Example) async throws {
        let (status, body) = try await run(example)
        #expect(status == "200 application/json", "\(example.command): \(body)")
        let (given, wanted) = (try Envelope(body), try Envelope(example.answer))
        #expect(given.message == wanted.message)
        #expect(given.others == wanted.others)
        #expect(given.targets?.count == wanted.targets?.count, "\(body)")
        for (given, wanted) in zip(given.targets ?? [], wanted.targets ?? []) {
            // Create and update are documented without the keys; ours has them always (docs/targets-api.openapi.yaml).
            #expect(Set(given.keys).subtracting(wanted.keys).isSubset(of: ["pKey", "sKey"]))
            for (member, value) in wanted {
                let isOurs = ["userId", "targetCreatedAt", "targetUpdatedAt"].contains(member)
                let answered = given[member] ?? "nothing"
                #expect(isOurs ? shape(answered) == shape(value) : answered == value, "\(member) of \(example.command)")
            }
        }
    }

    /// An id or a time with every digit alike.
    private func shape(_ text: String) -> String { String(text.map { $0.isHexDigit ? "0" : $0 }) }
}

private struct Envelope {
    /// Every member of a record is text.
    let targets: [[String: String]]?
    let message: String?
    /// Members besides these two.
    let others: Set<String>

    init(_ text: String) throws {
        let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
        targets = try document["targets"].map { try #require($0 as? [[String: String]], "\(text)") }
        message = document["message"] as? String
        others = Set(document.keys).subtracting(["targets", "message"])
    }
}
