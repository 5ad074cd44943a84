import Health
import TestSupport
import Testing

@testable import TargetsAPI

@Suite struct TargetListTests {
    private func record(_ key: String = "k", _ members: String = "") -> String {
        #"{"sKey":"\#(key)","targetName":"n","targetBaseURL":"http://a","targetTestPath":"/t","targetRegion":"r"\#(members)}"#
    }

    private func read(_ records: String...) throws -> TargetList {
        let json = #"{"targets":[\#(records.joined(separator: ","))],"message":"Success"}"#
        return try TargetList(json: Array(json.utf8), clientID: "c")
    }

    private func target(_ key: String = "k") -> Target {
        Target(
            identity: TargetIdentity(clientID: "c", key: key), name: "n", baseURL: "http://a", testPath: "/t", region: "r")
    }

    @Test func theDocumentedListIsRead() throws {
        let list = try TargetList(json: Array(Documented.list.utf8), clientID: Documented.clientID)
        let stripe = Target(
            identity: TargetIdentity(clientID: Documented.clientID, key: "tgt_789e4567"), name: "Stripe API",
            baseURL: "https://api.stripe.com", testPath: "/v1/customers", region: "us-east-1", ruleEffect: .allow)
        #expect(list == TargetList(targets: [stripe]))
    }

    /// 513 of them once ended the process: the daemon's by an answer, the embedded API's by a request.
    @Test func arraysThatAreOnlyOpenedAreNoJSON() {
        for count in [1, 511, 512, 513, 514, 5000] {
            let json = [UInt8](repeating: UInt8(ascii: "["), count: count)
            #expect(throws: DocumentProblem.notJSON, "\(count)") { try TargetList(json: json, clientID: "c") }
            #expect(throws: DocumentProblem.notJSON, "\(count)") { try TargetDraft(json: json) }
            #expect(throws: DocumentProblem.notJSON, "\(count)") { try TargetChange(json: json) }
        }
    }

    @Test func unknownMembersAndOddExtrasAreIgnored() throws {
        let list = try read(record("k", #","new":{"a":[1]},"userId":7,"targetCreatedAt":null"#))
        #expect(list == TargetList(targets: [target()]))
    }

    @Test func aMissingRegionAndRuleEffectAreLetPass() throws {
        let list = try read(#"{"sKey":"k","targetName":"n","targetBaseURL":"http://a","targetTestPath":"/t"}"#)
        #expect(list.rejected.isEmpty)
        #expect(list.targets.map(\.region) == [""])
        #expect(list.targets.map(\.ruleEffect) == [.allow])
    }

    @Test(arguments: [
        (#"1"#, "record 1: record is not an object"),
        (#"null"#, "record 1: record is not an object"),
        (#"{}"#, "record 1: sKey is missing"),
        (#"{"targetName":"n"}"#, "record 1 (n): sKey is missing"),
        (#"{"sKey":""}"#, "record 1: sKey is empty"),
        (#"{"sKey":7,"targetName":"n"}"#, "record 1 (n): sKey is not text"),
        (#"{"sKey":"x"}"#, "record 1 x: targetName is missing"),
        (#"{"sKey":"x","targetName":[]}"#, "record 1 x: targetName is not text"),
        (#"{"sKey":"x","targetName":"\ud800"}"#, "record 1 x: targetName is not text"),
        (#"{"sKey":"x","targetName":"n","targetBaseURL":null}"#, "record 1 x (n): targetBaseURL is null"),
        (#"{"sKey":"x","targetName":"n","targetBaseURL":"u"}"#, "record 1 x (n): targetTestPath is missing"),
        (
            #"{"sKey":"x","targetName":"n","targetBaseURL":"u","targetTestPath":"/","targetRegion":1}"#,
            "record 1 x (n): targetRegion is not text"
        ),
        (#"{"sKey":"x","targetName":NaN}"#, "record 1 x: targetName is not text"),
        (#"{"sKey":NaN,"targetName":"n"}"#, "record 1 (n): sKey is not text"),
        (#"{"sKey":"x","targetName":"a" "b"}"#, "record 1 x: targetName is not text"),
        (
            #"{"sKey":"x","targetName":\#(String(repeating: "[", count: 600))\#(String(repeating: "]", count: 600))}"#,
            "record 1 x: targetName is not text"
        ),
    ])
    func aBadRecordIsRejectedAloneAndNamed(json: String, said: String) throws {
        let list = try read(record("first"), json, record("last"))
        #expect(list.targets == [target("first"), target("last")])
        #expect(list.rejected.map(\.description) == [said])
    }

    @Test(arguments: [
        "NaN", "-Infinity", "01", "1e999999", String(repeating: "1", count: 400), "undefined", "'x'",
        String(repeating: "[", count: 600) + String(repeating: "]", count: 600), #""\ud800""#, #"{"a":NaN}"#,
    ])
    func whatAMemberHoldsThatNobodyReadsCostsNothing(value: String) throws {
        let list = try read(record("a"), record("b", #","weight":\#(value)"#), record("c"))
        #expect(list == TargetList(targets: [target("a"), target("b"), target("c")]))
        let json = #"{"meta":\#(value),"targets":[\#(record("a"))],"message":\#(value)}"#
        #expect(try TargetList(json: Array(json.utf8), clientID: "c").targets == [target("a")])
    }

    @Test func bytesThatAreNoUTF8InAMemberThatNobodyReadsCostNothing() throws {
        let json = Array(#"{"message":""#.utf8) + [0xe9] + Array(#"","targets":[\#(record("k", #","note":"\#u{1}""#))]}"#.utf8)
        let odd = json.map { $0 == 1 ? 0xff : $0 }
        #expect(try TargetList(json: odd, clientID: "c") == TargetList(targets: [target()]))
    }

    @Test func ofTwoMembersOfOneNameTheLastCounts() throws {
        let twice =
            #"{"sKey":"old","sKey":"k","targetName":7,"targetName":"n","targetBaseURL":"http://a","targetTestPath":"/t","targetRegion":"r"}"#
        #expect(try read(twice) == TargetList(targets: [target()]))
        let lists = #"{"targets":[],"targets":[\#(record())]}"#
        #expect(try TargetList(json: Array(lists.utf8), clientID: "c") == TargetList(targets: [target()]))
        #expect(throws: DocumentProblem.malformed("targets is of the wrong type")) {
            try TargetList(json: Array(#"{"targets":[\#(record())],"targets":null}"#.utf8), clientID: "c")
        }
    }

    @Test func aMembersNameMayBeEscaped() throws {
        let json =
            #"{"t\u0061rgets":[{"s\u004bey":"k","targetName":"n","targetBaseURL":"http://a","targetTestPath":"/t","targetRegion":"r"}]}"#
        #expect(try TargetList(json: Array(json.utf8), clientID: "c") == TargetList(targets: [target()]))
    }

    @Test func aCommaTooManyIsLetPass() throws {
        let json = #"{"targets":[\#(record("k", ",")),],}"#
        #expect(try TargetList(json: Array(json.utf8), clientID: "c") == TargetList(targets: [target()]))
    }

    @Test func aByteOrderMarkIsNoPartOfTheDocument() throws {
        let json = [0xef, 0xbb, 0xbf] + Array(#"{"targets":[\#(record())]}"#.utf8)
        #expect(try TargetList(json: json, clientID: "c") == TargetList(targets: [target()]))
    }

    @Test(arguments: ["ALLOW", "audit", "deny ", "a:b"]) func aRuleEffectThatIsNotKnownIsKeptAsItIs(effect: String) throws {
        let list = try read(record("k", #","targetDefaultRuleEffect":"\#(effect)""#))
        #expect(list.rejected.isEmpty && list.targets.map(\.ruleEffect.rawValue) == [effect])
    }

    @Test(arguments: ["next", "nextToken", "nextPageToken", "nextCursor", "LastEvaluatedKey", "lastEvaluatedKey", "NextToken"])
    func ofTheLastPageTheMemberThatNamesTheNextIsEmpty(member: String) throws {
        for value in ["null", #""""#, "false", "{}", "[]", "0"] {
            let json = #"{"targets":[\#(record())],"\#(member)":\#(value)}"#
            #expect(try TargetList(json: Array(json.utf8), clientID: "c") == TargetList(targets: [target()]), "\(value)")
        }
        for value in [#""x""#, "true", #"{"id":"x"}"#, "[1]", "2", "NaN"] {
            let json = #"{"targets":[\#(record())],"\#(member)":\#(value)}"#
            #expect(throws: DocumentProblem.self, "\(value)") { try TargetList(json: Array(json.utf8), clientID: "c") }
        }
    }

    @Test(arguments: [
        (TargetField.targetName, 256), (.targetBaseURL, 2048), (.targetTestPath, 2048), (.targetRegion, 64), (.sKey, 256),
        (.targetDefaultRuleEffect, 64),
    ])
    func textPastItsBoundRejectsTheRecord(field: TargetField, limit: Int) throws {
        func list(_ length: Int) throws -> TargetList {
            var members = ["sKey": "k", "targetName": "n", "targetBaseURL": "b", "targetTestPath": "p", "targetRegion": "r"]
            members[field.rawValue] = String(repeating: "x", count: length)
            return try read("{" + members.map { #""\#($0)":"\#($1)""# }.joined(separator: ",") + "}")
        }
        #expect(try list(limit).targets.count == 1)
        #expect(
            try list(limit + 1).rejected.map(\.problem)
                == [FieldProblem(field, "is \(limit + 1) bytes long, more than \(limit)")])
    }

    @Test func boundsCountBytesNotCharacters() throws {
        let name = String(repeating: "é", count: 129)
        let list = try read(record().replacing(#""n""#, with: "\"\(name)\""))
        #expect(list.rejected.map(\.problem.field) == ["targetName"])
    }

    @Test func theSecondRecordOfAnIdentityIsRejected() throws {
        let list = try read(record("a"), record("b"), record("a"))
        #expect(list.targets == [target("a"), target("b")])
        #expect(list.rejected.map(\.description) == ["record 2 a (n): sKey is that of an earlier record"])
    }

    @Test func twoTargetsOfOneNameAreTwoTargets() throws {
        #expect(try read(record("a"), record("b")).targets == [target("a"), target("b")])
    }

    @Test func aURLThatIsNoURLIsNotJudgedHere() throws {
        let list = try read(record().replacing("http://a", with: "not a url ☃"))
        #expect(list.targets.map(\.baseURL) == ["not a url ☃"])
    }

    @Test func aNameFullOfEscapesStaysExact() throws {
        let list = try read(record().replacing(#""n""#, with: #""\u001b[2J\u0007\u202e\u0000\r\n""#))
        #expect(list.targets.map(\.name) == ["\u{1B}[2J\u{07}\u{202E}\u{0}\r\n"])
    }

    @Test func aRejectedRecordShowsNoControlCharacters() throws {
        let list = try read(#"{"sKey":"\u001bk","targetName":"\u001b[31m"}"#)
        #expect(list.rejected.map(\.description) == [#"record 0 \u{1b}k (\u{1b}[31m): targetBaseURL is missing"#])
    }

    @Test func bytesThatAreNoUTF8CostOnlyTheirRecord() throws {
        var json = Array(#"{"targets":[{"sKey":"x","targetName":""#.utf8) + [0xFF, 0xFE]
        json += Array(#""},\#(record("good"))],"message":"Success"}"#.utf8)
        let list = try TargetList(json: json, clientID: "c")
        #expect(list.targets == [target("good")])
        #expect(list.rejected.map(\.identity?.key) == ["x"])
    }

    @Test func tenThousandTargetsAreRead() throws {
        let records = (0..<10_000).map { record("k\($0)") }.joined(separator: ",")
        #expect(try read(records).targets == (0..<10_000).map { target("k\($0)") })
    }

    @Test(arguments: [
        "", "<html></html>", "{", #"{"targets":[{"sKey":"a""#, #"{"targets":[]"#, "nonsense", "\u{0}",
        #"{"targets":[]} x"#, #"{"targets":[{"a" 1}]}"#, #"{"targets":[{"a":1 "b":2]}]}"#,
        "{\"targets\":[]}\u{0}",
    ])
    func whatIsNoWholeJSONIsRefused(body: String) {
        #expect(throws: DocumentProblem.notJSON) { try TargetList(json: Array(body.utf8), clientID: "c") }
    }

    @Test(arguments: [
        (#"{}"#, "targets is missing"), (#"{"message":"Success"}"#, "targets is missing"),
        (#"{"targets":{}}"#, "targets is of the wrong type"), (#"{"targets":null}"#, "targets is of the wrong type"),
        (#"[]"#, "the document is of the wrong type"), (#""x""#, "the document is of the wrong type"),
    ])
    func jsonWithoutAListOfTargetsIsRefused(body: String, how: String) {
        #expect(throws: DocumentProblem.malformed(how)) { try TargetList(json: Array(body.utf8), clientID: "c") }
    }
}

@Suite struct RecordSplitterTests {
    private func split(_ json: String) -> (records: [String], frame: String)? {
        Array(json.utf8).withUnsafeBufferPointer { bytes in
            RecordSplitter(bytes, list: "targets", names: ["next"]).map { splitter in
                (
                    splitter.records.map { String(decoding: bytes[$0], as: UTF8.self) },
                    String(decoding: splitter.frame, as: UTF8.self)
                )
            }
        }
    }

    @Test func findsTheRecordsAndLeavesTheirFrame() throws {
        let found = try #require(
            split(#" { "a":{"targets":[1]}, "targets" : [ {"x":"]}\"\\"} ,2,[3, [4]] ] , "message":"},]", "next":{"a":"]"} } "#))
        #expect(found.records == [#"{"x":"]}\"\\"} "#, "2", "[3, [4]] "])
        #expect(found.frame == #"{"targets":[],"next":{"a":"]"} }"#)
    }

    @Test func anEmptyListIsOne() throws {
        #expect(try #require(split(#"{"targets":[]}"#)).records.isEmpty)
    }

    @Test func aListThatIsNoneIsTheDecodersToJudge() throws {
        #expect(try #require(split(#"{"targets":{}}"#)).frame == #"{"targets":{}}"#)
        #expect(try #require(split("{}")).frame == "{}")
    }

    /// Bytes that were changed, cut off or doubled: it stays in its bounds, which a build for debugging checks.
    @Test func damagedDocumentsAreReadOrRefused() {
        var random = SeededGenerator(state: 15)
        let whole = Array(
            #" {"targets":[{"sKey":"a\\","targetName":"\u00e9"},null,[{}],{"x":[1,"]"]}],"next":{"a":""},"message":"ok"} "#.utf8)
        for _ in 0..<3000 {
            var json = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) where !json.isEmpty {
                let place = Int.random(in: json.indices, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: json[place] = #"{}[]",:\0"#.utf8.randomElement(using: &random) ?? 0
                case 1: json.removeSubrange(place...)
                case 2: json.insert(json[place], at: place)
                default: json.remove(at: place)
                }
            }
            let list = try? TargetList(json: json, clientID: "c")
            #expect((list?.targets.count ?? 0) + (list?.rejected.count ?? 0) <= json.count)
        }
    }

    @Test(arguments: [
        "", "{", "[]", #"{"targets":[1}"#, #"{"targets":[1"#, #"{"targets":["a]}"#, #"{"targets":[]"#,
        #"{"targets":[,1]}"#, #"{"targets":[]}}"#, #"{"targets":[]},"#, #"{"targets":[] "a":1}"#, #"{targets:[]}"#,
    ])
    func leavesTheRestToTheDecoder(json: String) {
        #expect(split(json) == nil)
    }
}

@Suite struct SharedMemoryTests {
    @Test func aListThatComesAgainKeepsTheMemoryOfWhatIsAsItWas() throws {
        let text = { (name: String) in
            #"{"targets":[{"sKey":"a-key-that-is-long","targetName":"\#(name)","targetBaseURL":"https://a.example.com","targetTestPath":"/"}]}"#
        }
        let known = try TargetList(json: Array(text("a name that is long").utf8), clientID: "c").targets
        let again = try TargetList(json: Array(text("a name that is long").utf8), clientID: "c", known: known).targets
        let other = try TargetList(json: Array(text("another name as long").utf8), clientID: "c", known: known).targets
        func isShared(_ a: String, _ b: String) -> Bool {
            a.utf8.withContiguousStorageIfAvailable { a in
                b.utf8.withContiguousStorageIfAvailable { a.baseAddress == $0.baseAddress } ?? false
            } ?? false
        }
        #expect(again == known && isShared(again[0].name, known[0].name))
        #expect(other[0].name == "another name as long")
        #expect(isShared(other[0].baseURL, known[0].baseURL) && isShared(other[0].identity.key, known[0].identity.key))
    }
}
