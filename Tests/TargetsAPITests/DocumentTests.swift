import Health
import Testing

@testable import TargetsAPI

@Suite struct DocumentTests {
    let noon = Timestamp("2024-01-22T12:00:00.000Z")
    var record: TargetRecord {
        TargetRecord(
            pKey: Documented.clientID, sKey: "tgt_789e4567", name: "Stripe API", baseURL: "https://api.stripe.com",
            testPath: "/v1/customers", region: "us-east-1", ruleEffect: .allow,
            userID: "123e4567-e89b-12d3-a456-426614174000", clientID: Documented.clientID, parentID: Documented.clientID,
            createdAt: noon, updatedAt: noon)
    }

    @Test func aListIsWrittenAsTheDocumentHasIt() {
        #expect(String(decoding: TargetRecord.envelope([record], .success), as: UTF8.self) == Documented.list)
    }

    @Test func aCreateIsWrittenAsTheDocumentHasIt() {
        let draft = TargetDraft(
            name: "Stripe API", baseURL: "https://api.stripe.com", testPath: "/v1/customers", region: "us-east-1",
            ruleEffect: .allow)
        #expect(String(decoding: draft.json, as: UTF8.self) == Documented.create)
    }

    @Test func theDocumentedCreateIsRead() throws {
        let draft = try TargetDraft(json: Array(Documented.create.utf8))
        #expect(
            draft
                == TargetDraft(
                    name: "Stripe API", baseURL: "https://api.stripe.com", testPath: "/v1/customers", region: "us-east-1",
                    ruleEffect: .allow))
    }

    @Test func everyMemberOfTheDocumentedRecordIsRead() throws {
        #expect(try RecordDocument.record(json: Array(Documented.list.utf8)) == record)
    }

    @Test func aRecordDoesWithoutTheKeysThatCreateLeavesOut() throws {
        var expected = record
        (expected.pKey, expected.sKey) = (nil, nil)
        #expect(try RecordDocument.record(json: Array(Documented.created.utf8)) == expected)
    }

    @Test func ofARecordAloneTheSameHoldsAsInAList() throws {
        let odd = Documented.list.replacing(
            #""targetName":"Stripe API""#, with: #""targetName":7,"weight":NaN,"targetName":"Stripe API""#
        )
        .replacing(#""allow""#, with: #""audit""#).replacing(#""Success""#, with: "NaN")
        var expected = record
        expected.ruleEffect = .init(rawValue: "audit")
        #expect(try RecordDocument.record(json: Array(odd.utf8)) == expected)
    }

    @Test func anUpdateHoldsOnlyWhatItChanges() {
        let change = TargetChange(name: "New", ruleEffect: .deny)
        #expect(String(decoding: change.json, as: UTF8.self) == #"{"targetName":"New","targetDefaultRuleEffect":"deny"}"#)
    }

    @Test func anUpdateOfTheRegionIsRefusedWithAWayOut() {
        #expect(
            throws: DocumentProblem.field(
                FieldProblem(
                    field: "targetRegion",
                    problem: "can't change after creation; create the target anew in the other region and delete this one"))
        ) { try TargetChange(json: Array(#"{"targetRegion":"eu-west-1"}"#.utf8)) }
    }

    @Test(arguments: [
        (#"{}"#, "targetName is missing"),
        (#"{"targetName":1}"#, "targetName is not text"),
        (#"{"targetName":null}"#, "targetName is null"),
        (#"{"targetName":""}"#, "targetName is empty"),
        (#"{"targetName":"a","targetBaseURL":"b","targetTestPath":"c"}"#, "targetRegion is missing"),
        (
            #"{"targetName":"a","targetBaseURL":"b","targetTestPath":"c","targetRegion":"d","targetDefaultRuleEffect":"x"}"#,
            "targetDefaultRuleEffect is neither allow nor deny"
        ),
    ])
    func aBadCreateNamesTheMember(json: String, message: String) {
        let error = #expect(throws: DocumentProblem.self) { try TargetDraft(json: Array(json.utf8)) }
        guard case .field(let problem) = error else {
            Issue.record("not a field's problem: \(String(describing: error))")
            return
        }
        #expect(problem.description == message)
    }

    @Test func controlCharactersQuotesAndSlashesSurviveWritingAndReading() throws {
        var odd = record
        odd.name = "\u{0}\u{1B}[31m\"\\/\u{202E}\u{7F}\n😀"
        #expect(try RecordDocument.record(json: TargetRecord.envelope([odd], .success)) == odd)
    }
}
