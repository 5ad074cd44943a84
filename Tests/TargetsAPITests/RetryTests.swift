import Health
import Synchronization
import Testing

@testable import TargetsAPI

/// Answers one after the other, and notes what was asked and how long was waited in between.
private final class Script: Sendable {
    typealias Answer = Result<APIResponse, TransportError>
    private let answers: Mutex<[Answer]>
    private let requests = Mutex<[APIRequest]>([])
    private let waits = Mutex<[Duration]>([])

    init(_ answers: [Answer]) { self.answers = Mutex(answers) }

    var asked: [APIRequest] { requests.withLock { $0 } }
    var waited: [Duration] { waits.withLock { $0 } }

    var client: TargetsClient {
        let retries = Retries(wait: { wait in self.waits.withLock { $0.append(wait) } }, jitter: { 1 })
        return TargetsClient(
            clientID: Documented.clientID, token: Secret("s3cr3t-token"), maxList: 1 << 20, timeout: .seconds(1), retries: retries
        ) { request throws(TransportError) in
            self.requests.withLock { $0.append(request) }
            let next = self.answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            guard let next else { throw TransportError(.other, detail: "the script has ended") }
            return try next.get()
        }
    }
}

private func answer(_ status: Int, _ body: String = "{}", retryAfter: Duration? = nil, next: String? = nil) -> Script.Answer {
    var response = APIResponse(status: status, contentType: nil, body: Array(body.utf8))
    (response.retryAfter, response.next) = (retryAfter, next)
    return .success(response)
}

private func lost(_ kind: TransportError.Kind) -> Script.Answer { .failure(TransportError(kind, detail: "x")) }

@Suite struct RetryTests {
    private let draft = TargetDraft(name: "n", baseURL: "https://a", testPath: "/", region: "r")
    private let list = answer(200, Documented.list)

    @Test func whatCanBeDoneTwiceIsTriedAgainAfterLongerAndLongerWaits() async throws {
        let script = Script([answer(503), lost(.other), answer(500), list])
        #expect(try await script.client.list().targets.count == 1)
        #expect(script.waited == [.seconds(1), .seconds(2), .seconds(4)])
        let hopeless = Script(Array(repeating: answer(502), count: 9))
        await #expect(throws: APIError.self) { try await hopeless.client.list() }
        #expect(hopeless.asked.count == Retries.attempts)
    }

    @Test(arguments: [lost(.other), lost(.timeout), answer(503), answer(502), answer(200, ""), answer(200, "{")])
    fileprivate func aCreateThatMayHaveBeenDoneIsNotTriedAgain(first: Script.Answer) async {
        let script = Script([first, answer(200, Documented.list)])
        let error = await #expect(throws: APIError.self) { try await script.client.create(draft, once: "k") }
        #expect(error?.mayHaveBeenDone == true)
        #expect(script.asked.count == 1)
    }

    @Test(arguments: [lost(.connect), lost(.dns), answer(429)])
    fileprivate func aCreateThatWasNotTakenIsTriedAgainUnderTheSameKey(first: Script.Answer) async throws {
        let script = Script([first, answer(201, Documented.list)])
        _ = try await script.client.create(draft, once: "key-1")
        let keys = script.asked.map { $0.headers.filter { $0.name == "Idempotency-Key" }.map(\.value.revealed) }
        #expect(keys == [["key-1"], ["key-1"]])
    }

    @Test(arguments: [400, 401, 403, 404, 409, 412, 422, 302])
    func aRefusalIsFinalAndNothingWasDone(status: Int) async {
        let script = Script([answer(status), list])
        let error = await #expect(throws: APIError.self) { try await script.client.update("k", TargetChange(name: "x")) }
        #expect(error?.mayHaveBeenDone == false)
        #expect(script.asked.count == 1)
    }

    @Test func whatTheAPIWantsToBeLeftAloneForIsWaitedUnlessItIsTooLong() async throws {
        let script = Script([answer(429, retryAfter: .seconds(7)), list])
        _ = try await script.client.list()
        #expect(script.waited == [.seconds(7)])
        let long = Script([answer(429, retryAfter: .seconds(61)), list])
        let error = await #expect(throws: APIError.self) { try await long.client.list() }
        #expect(error?.retryAfter == .seconds(61))
        #expect(long.waited == [])
    }

    @Test func goneIsGoneAlsoByTheAttemptWhoseAnswerWasLost() async throws {
        let script = Script([lost(.other), answer(404)])
        try await script.client.delete("k")
        let never = Script([answer(404)])
        await #expect(throws: APIError.self) { try await never.client.delete("k") }
        try await Script([answer(204, "")]).client.delete("k")
    }

    // MARK: Pages

    @Test func aListInPagesIsReadToItsEnd() async throws {
        let page = { (key: String, next: String?) in
            answer(
                200, #"{"targets":[{"sKey":"\#(key)","targetName":"n","targetBaseURL":"u","targetTestPath":"p"}]}"#, next: next)
        }
        let script = Script([page("a", "/next?page=2"), page("b", "/next?page=3"), page("a", nil)])
        let list = try await script.client.list()
        #expect(list.targets.map(\.identity.key) == ["a", "b"])
        #expect(list.rejected.map(\.problem.problem) == ["is that of a record of an earlier page"])
        #expect(script.asked.map(\.path).dropFirst() == ["/next?page=2", "/next?page=3"])
    }

    @Test func aListThatGoesRoundInACircleIsNoList() async {
        let script = Script(Array(repeating: answer(200, Documented.list, next: "/again"), count: 9))
        let error = await #expect(throws: APIError.self) { try await script.client.list() }
        #expect(error?.explanation == "The Targets API's list goes round in a circle.")
        #expect(script.asked.count == 2)
    }

    @Test(arguments: ["nextToken", "next", "LastEvaluatedKey"])
    func aListThatGoesOnElsewhereIsNoList(member: String) async throws {
        let whole = try await Script([answer(200, #"{"targets":[],"\#(member)":null}"#)]).client.list()
        #expect(whole.targets == [])
        let error = await #expect(throws: APIError.self) {
            try await Script([answer(200, #"{"targets":[],"\#(member)":"x"}"#)]).client.list()
        }
        #expect(error?.explanation.contains("the list goes on, by its member \(member)") == true)
    }
}
