import Health
import TestSupport
import Testing

@testable import TargetsServer

@Suite struct AccessTests {
    private static let body = #"{"targetName":"n","targetRegion":"r","targetBaseURL":"https://a","targetTestPath":"/"}"#
    private let tokens = [
        AccessToken(name: "all", secret: Secret(registryToken)),
        AccessToken(name: "reads", secret: Secret("reads-all"), mayWrite: false),
        AccessToken(name: "one", secret: Secret("one-client"), clientID: "one"),
        AccessToken(name: "one-reads", secret: Secret("one-reads"), clientID: "one", mayWrite: false),
    ]

    @Test func eachTokenMayWhatItMayAndNoMore() async throws {
        let folder = try TemporaryFolder()
        try await withServer(database: folder.file("targets.db"), tokens: tokens) { port in
            func status(_ method: String, _ client: String, _ token: String, _ key: String = "") async throws -> Int {
                let body = ["POST": Self.body, "PUT": #"{"targetName":"m"}"#][method]
                return try await exchange(
                    port, request(method, "/api/clients/\(client)/targets\(key)", token: token, body: body)
                ).status
            }
            for (token, client, read, write) in [
                (registryToken, "one", 200, 200), (registryToken, "two", 200, 200), ("reads-all", "two", 200, 403),
                ("one-client", "one", 200, 200), ("one-client", "two", 403, 403), ("one-reads", "one", 200, 403),
                ("one-reads", "two", 403, 403), ("none", "one", 401, 401),
            ] {
                let got = (try await status("GET", client, token), try await status("POST", client, token))
                #expect(got == (read, write), "\(token) \(client)")
                for method in ["PUT", "DELETE"] {
                    let missing = try await status(method, client, token, "/nothing")
                    #expect(missing == (write == 200 ? 404 : write))
                }
            }
        }
        let holders = try ChildProcess.run("sqlite3", [folder.file("targets.db"), "SELECT holder FROM audit ORDER BY id"])
        #expect(holders.output == "all\nall\none\n")
    }

    @Test func aRefusalTellsNothingOfWhatExists() async throws {
        try await withServer(tokens: tokens) { port in
            let made = try await exchange(port, request("POST", "/api/clients/two/targets", body: Self.body))
            let key = try #require(try Envelope(made.text).targets?.first?["sKey"] as? String)
            for token in ["one-client", "none"] {
                var answers: Set<String> = []
                for path in ["two/targets", "three/targets", "two/targets/\(key)", "two/targets/tgt_nothing"] {
                    let answer = try await exchange(port, request("GET", "/api/clients/\(path)", token: token))
                    answers.insert("\(answer.status) \(answer.text)")
                }
                #expect(answers.count == 1, "\(answers)")
            }
        }
    }

    @Test func whoAsksTooOftenIsToldWhenToComeBackAndHoldsNobodyElseUp() async throws {
        try await withServer(tokens: tokens, rate: 1) { port in
            func get(_ token: String) async throws -> WireAnswer {
                try await exchange(port, request("GET", targetsPath, token: token))
            }
            var answers: [WireAnswer] = []
            for _ in 0..<30 { answers.append(try await get(registryToken)) }
            let refused = answers.filter { $0.status == 429 }
            #expect(!refused.isEmpty && answers.prefix(2).allSatisfy { $0.status == 200 })
            #expect(refused.allSatisfy { $0.headers["retry-after"] == "1" })
            let others = (try await get("reads-all").status, try await get("none").status)
            #expect(others == (200, 401))
        }
    }

    @Test func aBucketHoldsTwoSecondsWorthAndFillsAsTimeGoes() {
        var bucket = TokenBucket(rate: 10)
        for _ in 0..<20 { #expect(bucket.take(at: .seconds(5)) == nil) }
        #expect(bucket.take(at: .seconds(5)) == .milliseconds(100))
        #expect(bucket.take(at: .milliseconds(5050)) == .milliseconds(50))
        #expect(bucket.take(at: .milliseconds(5100)) == nil)
        #expect(bucket.take(at: .milliseconds(5100)) == .milliseconds(100))
        for _ in 0..<20 { #expect(bucket.take(at: .seconds(1000)) == nil) }
        #expect(bucket.take(at: .seconds(1000)) != nil)
    }
}
