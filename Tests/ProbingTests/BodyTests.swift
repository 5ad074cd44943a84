import Foundation
import Glibc
import Health
import TestSupport
import Testing

@testable import Curl
@testable import Probing

@Suite struct BodyPatternTests {
    private func match(_ pattern: String, _ body: String) throws -> BodyPattern.Answer {
        try BodyPattern(pattern).match(Array(body.utf8)[...])
    }

    @Test func matchesAnywhere() throws {
        #expect(try match("o+k", "all is ook") == .matches)
        #expect(try match("^ok$", "all is ok") == .matchesNot)
        #expect(try match("(?i)größe", "GRÖSSE GRÖßE") == .matches)
        #expect(try match("^$", "") == .matches)
        #expect(try match("(a)(b)(c)", "abc") == .matches)
    }

    @Test func aBodyThatIsNoTextIsSearchedAllTheSame() throws {
        #expect(try BodyPattern("ok").match([0xFF, 0x6F, 0x6B, 0xC3][...]) == .matches)
        #expect(try BodyPattern("^.ok").match([0xFF, 0x6F, 0x6B][...]) == .matchesNot)
    }

    @Test(arguments: [
        ("^(a+)+$", String(repeating: "a", count: 40) + "!"), ("(x+x+)+y", String(repeating: "x", count: 200)),
        ("(?:x|[^b]*+)c", String(repeating: "x", count: 262_144)), ("(a|aa)+$", String(repeating: "a", count: 5000) + "b"),
        ("(.*)*z", String(repeating: "q", count: 262_144)),
    ])
    func givesUpInsteadOfExploding(pattern: String, body: String) throws {
        let start = ContinuousClock.now
        #expect(try match(pattern, body) != .matches)
        // The bound is a tenth of a second of processor time; this one is for machines that do much else.
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test(arguments: ["[A-Za-z]+ is healthy", "(ok|healthy|up)$", "<b>(\\w+)</b>.*healthy"])
    func aHarmlessPatternGoesThroughAWholeBody(pattern: String) throws {
        let page = String(repeating: "<p>Some words of a page that go on, and <b>more</b> of them.</p>", count: 4000).prefix(
            262_000)
        #expect(try match(pattern, page + " All is healthy") == .matches)
        #expect(try match(pattern, String(page)) == .matchesNot)
    }

    @Test func saysWhatIsWrongWithAPattern() {
        #expect(BodyPattern.problem(of: "ok") == nil)
        #expect(BodyPattern.problem(of: "a(b")?.contains("missing closing parenthesis") == true)
        #expect(BodyPattern.problem(of: "a(b")?.contains("character 4") == true)
        #expect(BodyPattern.problem(of: "\\C")?.isEmpty == false)
    }
}

@Suite struct JSONPlaceTests {
    private func find(_ path: String, _ text: String) throws -> JSONQueryResult {
        JSONQueryResult.find(try #require(JSONPath(path)), in: Array(text.utf8))
    }

    /// 513 of them once ended the process.
    @Test func arraysThatAreOnlyOpenedAreNoJSON() throws {
        for count in [1, 511, 512, 513, 514, 5000] {
            #expect(try find("$.a", String(repeating: "[", count: count)) == .notJSON, "\(count)")
        }
    }

    private static let document = #"{"a":{"b":[1,{"c":"x"},null]},"ok":true,"n":null,"":5,"f":1.5}"#

    @Test(
        arguments: [
            ("$.a.b[0]", .scalar(.number(1))), ("$.a.b[1].c", .scalar(.text("x"))), ("$.a.b[2]", .scalar(.null)),
            ("$.a.b[-1]", .scalar(.null)), ("$.a.b[-3]", .scalar(.number(1))), ("$.a.b[3]", .absent), ("$.a.b[-4]", .absent),
            ("$.ok", .scalar(.boolean(true))), ("$.n", .scalar(.null)), ("$.n.x", .absent), ("$.missing", .absent),
            ("$.a", .compound),
            ("$.a.b", .compound), ("$", .compound), ("$['']", .scalar(.number(5))), ("$.ok.x", .absent), ("$.a[0]", .absent),
            ("$.f", .scalar(.number(1.5))),
        ] as [(String, JSONQueryResult)])
    func findsWhatStandsThere(path: String, place: JSONQueryResult) throws {
        #expect(try find(path, Self.document) == place)
    }

    @Test(arguments: ["", "{", "<html>", "{\"a\":1} x", "{'a':1}", String(repeating: "[", count: 100_000)])
    func whatIsNoJSONIsSaidSo(text: String) throws {
        #expect(try find("$.a", text) == .notJSON)
    }

    /// RFC 8259 section 6 lets a number have any size, and Foundation's strings may not hold a control character.
    @Test(arguments: ["1e400", "-1e400", String(repeating: "9", count: 400), "\"a\u{1B}b\""])
    func whatCannotBeReadIsNoObject(value: String) throws {
        #expect(try find("$.a", "{\"a\":\(value),\"b\":2}") == .unreadable)
        #expect(try find("$.b", "{\"a\":\(value),\"b\":2}") == .scalar(.number(2)))
    }

    @Test(arguments: [("1.0", 1.0), ("1e0", 1), ("100E-2", 1), ("9007199254740991", 9_007_199_254_740_991), ("0.10", 0.1)])
    func numbersAreTheSameHoweverTheyAreWritten(value: String, number: Double) throws {
        #expect(try find("$.a", "{\"a\":\(value)}") == .scalar(.number(number)))
    }

    @Test(arguments: [
        (#"{"status":"ok","status":"down"}"#, JSONScalar.text("down")),
        (#"{"status":1,"a":{"status":2},"status":3}"#, .number(3)),
        (#"{"status":{"x":1},"status":null}"#, .null), (#"{"status":"a","st\u0061tus":"b"}"#, .text("b")),
        (#"{"st\u0061tus":"a","status":"b","other":[{"status":"c"}]}"#, .text("b")),
    ])
    func ofTwoMembersOfOneNameTheLastCounts(text: String, scalar: JSONScalar) throws {
        #expect(try find("$.status", text) == .scalar(scalar))
    }

    @Test func onTheWayToo() throws {
        #expect(try find("$.a.b", #"{"a":{"b":1},"a":{"b":2}}"#) == .scalar(.number(2)))
        #expect(try find("$.a.b", #"{"a":{"b":1},"a":{}}"#) == .absent)
        #expect(try find("$.a[0]", #"{"a":[1],"a":[ 2 , 3 ]}"#) == .scalar(.number(2)))
    }

    @Test func bracketsAndQuotesInsideTextsAreNone() throws {
        #expect(try find("$.b", #"{"a":"}],\"b\":1{[","b": "x\\" , "c":"\""}"#) == .scalar(.text("x\\")))
        #expect(try find("$.a[-1]", #"{"a":[[1,2],{"x":",]"}, "y" ]}"#) == .scalar(.text("y")))
    }

    @Test func aDamagedDocumentIsReadOrRefused() throws {
        var random = SeededGenerator(state: 13)
        let path = try #require(JSONPath("$.a[1].b"))
        let whole = Array(#" {"a":[1,{"b":"x\\"," c ":[{}]}],"a":[null,{"b":1e1}],"\u0061":[0,{"b":true}]} "#.utf8)
        #expect(JSONQueryResult.find(path, in: whole) == .scalar(.boolean(true)))
        for _ in 0..<3000 {
            var json = whole
            let place = Int.random(in: json.indices, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: json[place] = #"{}[]",:\0"#.utf8.randomElement(using: &random) ?? 0
            case 1: json.removeSubrange(place...)
            default: json.remove(at: place)
            }
            if (try? JSONSerialization.jsonObject(with: Data(json))) == nil { continue }
            #expect(JSONQueryResult.find(path, in: json) != .notJSON, "\(String(decoding: json, as: UTF8.self))")
        }
    }

    @Test func otherEncodingsAreReadAsBefore() throws {
        let text = #"{"a":"ü"}"#
        let path = try #require(JSONPath("$.a"))
        let units = text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        let swapped = text.utf16.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
        for body in [[0xef, 0xbb, 0xbf] + Array(text.utf8), units, [0xff, 0xfe] + units, swapped, [0xfe, 0xff] + swapped] {
            #expect(JSONQueryResult.find(path, in: body) == .scalar(.text("ü")))
        }
    }

    @Test func aScalarMayBeTheWholeDocument() throws {
        #expect(try find("$", "\"up\"") == .scalar(.text("up")))
        #expect(try find("$", "true") == .scalar(.boolean(true)))
    }
}

@Suite struct ExpectedBodyTests {
    private func probe(_ body: String, _ change: (inout ProbePolicy) -> Void) async throws -> ProbeResult {
        let server = try LoopbackServer { _ in .http(200, body: body) }
        var bench = try Bench()
        change(&bench.policy)
        return await bench.probe(server.url).result
    }

    private let isUp: BodyJSON

    init() throws { isUp = BodyJSON(path: try #require(JSONPath("$.status")), equals: .text("ok")) }

    @Test func aBodyAsExpectedIsGood() async throws {
        let result = try await probe(#"{"status":"ok"}"#) {
            $0.bodyMatches = "\"status\":\\s*\"ok\""
            $0.bodyJSON = isUp
        }
        #expect(result.outcome == .good)
    }

    @Test func anotherBodyIsAMismatchThatSaysWhatWasThere() async throws {
        let matched = try await probe("Service unavailable\u{1b}[31m") { $0.bodyMatches = "ok" }
        #expect(matched.outcome == .bad(.bodyMismatch) && matched.facts.httpStatus == 200)
        #expect(matched.sentence.contains("does not match body_matches (ok)") && matched.sentence.contains("Service unavailable"))
        #expect(!matched.sentence.contains("\u{1b}"))
        let found = try await probe(#"{"status":"failing"}"#) { $0.bodyJSON = isUp }
        #expect(found.outcome == .bad(.bodyMismatch))
        #expect(found.sentence.contains(#"$.status is "failing", but "ok" was expected"#))
        let html = try await probe("<html>") { $0.bodyJSON = isUp }
        #expect(html.sentence.contains("no JSON"))
        let empty = try await probe("") { $0.bodyMatches = "ok" }
        #expect(empty.sentence.contains("it is empty"))
    }

    @Test func aSecretThatTheServerRepeatsIsNotInTheSentence() async throws {
        let result = try await probe(#"{"status":"no token sek-1234567890"}"#) {
            $0.bodyJSON = isUp
            $0.headers = [.init(name: "X-Api-Key", value: .secret(Secret("sek-1234567890")))]
        }
        #expect(result.sentence == #"HTTP 200, but the body's $.status is "no token …", but "ok" was expected"#)
        // Also where the quotation cuts the secret, and nowhere in our own words.
        let token = (100..<300).map { String($0 * 7919, radix: 36) }.joined()
        for filler in ["", String(repeating: "-", count: 50)] {
            let cut = try await probe("body \(filler)\(token)") {
                $0.bodyMatches = "^ok$"
                $0.headers = [
                    .init(name: "X-Api-Key", value: .secret(Secret(token))),
                    .init(name: "X-Key", value: .secret(Secret("body"))),
                ]
            }
            #expect(cut.sentence == "HTTP 200, but the body does not match body_matches (^ok$); it begins \"… \(filler)…\"")
        }
    }

    @Test func onlyTheFirstPartOfABodyIsSearched() async throws {
        let filler = String(repeating: "-", count: BodyPattern.bodyLimit)
        #expect(try await probe(filler.dropLast(2) + "ok") { $0.bodyMatches = "ok" }.outcome == .good)
        #expect(try await probe(filler + "ok") { $0.bodyMatches = "ok" }.outcome == .bad(.bodyMismatch))
        let long = try await probe("{\"status\":\"ok\",\"x\":\"\(filler)\"}") { $0.bodyJSON = isUp }
        #expect(long.outcome == .bad(.bodyMismatch) && long.sentence.contains("256 KiB"))
    }

    @Test func aMatchThatMayStandPastTheFirstPartIsSaidToBeLookedForThereOnly() async throws {
        let filler = String(repeating: "-", count: BodyPattern.bodyLimit)
        let past = try await probe(filler + "ok") { $0.bodyMatches = "ok" }
        #expect(
            past.sentence.hasPrefix(
                "HTTP 200, but the first 256 KiB of the body do not match body_matches (ok), and no more of it is read; "))
        let whole = try await probe(filler) { $0.bodyMatches = "ok" }
        #expect(whole.sentence.hasPrefix("HTTP 200, but the body does not match body_matches (ok); "))
        let json = try await probe("{\"x\":\"\(filler)\",\"status\":\"ok\"}") { $0.bodyJSON = isUp }
        #expect(
            json.sentence
                == "HTTP 200, but the body is longer than 256 KiB, and no more of it is read, so body_json can't find $.status")
    }

    @Test(arguments: ["none", "UTF-8", "aws-chunked"]) func aBodyOfAnUnknownCodingIsReadAsItStands(coding: String) async throws {
        let server = try LoopbackServer { _ in .http(200, headers: ["Content-Encoding: \(coding)"], body: "all ok") }
        var bench = try Bench()
        bench.policy.bodyMatches = "ok$"
        #expect(await bench.probe(server.url).result.outcome == .good)
    }

    @Test func aBodyThatCantBeDecodedIsMissedOnlyWhereItHasToBeRead() async throws {
        let server = try LoopbackServer { _ in .http(200, headers: ["Content-Encoding: br"], body: "ok") }
        var bench = try Bench()
        let unread = await bench.probe(server.url).result
        #expect(unread.outcome == .good && unread.facts.uncompressedBodyLength == nil && unread.facts.contentLength == 2)
        bench.policy.bodyMatches = "ok"
        bench.policy.bodyJSON = isUp
        let result = await bench.probe(server.url).result
        #expect(result.outcome == .bad(.bodyMismatch))
        #expect(
            result.sentence
                == "HTTP 200, but its body can't be read for body_matches and body_json: its Content-Encoding is br, "
                + "and only gzip or deflate, once, is decoded")
    }

    @Test func anEmptyBodyIsEmptyWhateverItsCoding() async throws {
        let server = try LoopbackServer { _ in .http(200, headers: ["Content-Encoding: br"]) }
        var bench = try Bench()
        bench.policy.bodyMatches = "^$"
        #expect(await bench.probe(server.url).result.outcome == .good)
    }

    @Test func aBodyThatIsNotWhatItsCodingSaysIsAProtocolErrorAndAnUnexpectedStatusItself() async throws {
        let status = Watched(200)
        let server = try LoopbackServer { _ in .http(status.value, headers: ["Content-Encoding: gzip"], body: "plain") }
        let bench = try Bench()
        let result = await bench.probe(server.url).result
        #expect(result.outcome == .bad(.protocolError))
        #expect(result.sentence == "HTTP 200, but the body can't be decoded: its Content-Encoding says gzip, and it is not")
        status.change { $0 = 503 }
        #expect(await bench.probe(server.url).result.outcome == .bad(.statusUnexpected))
    }

    @Test(arguments: ["br", "none", "gzip"]) func credentialsAreAskedForWhateverTheCoding(coding: String) async throws {
        for body in ["", "plain"] {
            let server = try LoopbackServer { _ in .http(401, headers: ["Content-Encoding: \(coding)"], body: body) }
            let result = try await Bench().probe(server.url).result
            #expect(result.outcome == .bad(.statusUnexpected) && result.facts.httpStatus == 401)
            #expect(result.sentence.contains("wants credentials"))
        }
    }

    @Test func aPatternThatExplodesIsAMismatch() async throws {
        let result = try await probe(String(repeating: "a", count: 40) + "!") { $0.bodyMatches = "^(a+)+$" }
        #expect(result.outcome == .bad(.bodyMismatch))
        #expect(result.sentence.contains("simplify the pattern"))
    }

    /// By that thread's own processor time, which no other load of the machine changes.
    @Test func aBodyIsNotJudgedOnTheEnginesThread() async throws {
        let engine = try TransferEngine()
        let bodies = BodyVerdict()
        var policy = ProbePolicy()
        policy.bodyMatches = "^(a+)+$"
        var answer = TransferReport(startedAt: .now, startedAtMilliseconds: 0)
        answer.status = 200
        answer.body = Array((String(repeating: "a", count: 40) + "!").utf8)
        let (spent, work) = await withTaskExecutorPreference(engine.executor) { [answer, policy] in
            let start = processorTime()
            for _ in 0..<5 { #expect(await bodies.mismatch(answer, policy: policy) != nil) }
            let spent = processorTime() - start
            let again = processorTime()
            _ = bodies.mismatch(answer.body, policy: policy)
            return (spent, processorTime() - again)
        }
        #expect(spent < work)
    }

    @Test func theStatusIsJudgedFirst() async throws {
        let server = try LoopbackServer { _ in .http(500, body: "no") }
        var bench = try Bench()
        bench.policy.bodyMatches = "ok"
        #expect(await bench.probe(server.url).result.outcome == .bad(.statusUnexpected))
    }
}

private func processorTime() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}
