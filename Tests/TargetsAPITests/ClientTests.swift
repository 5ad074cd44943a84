import Health
import Synchronization
import Testing

@testable import TargetsAPI

/// Answers every request alike and remembers what was asked.
final class RecordingTransport: Sendable {
    private let requests = Mutex<[APIRequest]>([])
    private let answer: Result<APIResponse, TransportError>

    init(_ answer: Result<APIResponse, TransportError>) { self.answer = answer }

    convenience init(_ body: String, status: Int = 200, contentType: String? = "application/json") {
        self.init(.success(APIResponse(status: status, contentType: contentType, body: Array(body.utf8))))
    }

    var asked: [APIRequest] { requests.withLock { $0 } }

    func client(token: String = "s3cr3t-token", maxList: Int = 1 << 20) -> TargetsClient {
        TargetsClient(
            clientID: Documented.clientID, token: Secret(token), maxList: maxList, timeout: .seconds(10)
        ) { request throws(TransportError) in
            self.requests.withLock { $0.append(request) }
            return try self.answer.get()
        }
    }
}

@Suite struct ClientTests {
    private let place = "/api/clients/550e8400-e29b-41d4-a716-446655440000/targets"

    @Test func listAsksForTheClientsTargets() async throws {
        let transport = RecordingTransport(Documented.list)
        let list = try await transport.client(maxList: 4096).list()
        #expect(list.targets.map(\.identity.key) == ["tgt_789e4567"])
        let asked = try #require(transport.asked.first)
        #expect((asked.method, asked.path, asked.body) == (.get, place, nil))
        #expect((asked.maxBody, asked.timeout) == (4096, .seconds(10)))
    }

    @Test func anAnswerThatIsKnownIsNotReadAgain() async throws {
        let client = RecordingTransport(Documented.list).client()
        guard case .list(let list, let fingerprint) = try await client.list(unless: nil) else {
            Issue.record("nothing was known")
            return
        }
        #expect(list == (try await client.list()))
        #expect(try await client.list(unless: fingerprint) == .unchanged)
        // A blank makes it another answer, of the same list.
        let other = RecordingTransport(Documented.list + " ").client()
        #expect(
            try await other.list(unless: fingerprint) == .list(list, AnswerFingerprint(of: Array((Documented.list + " ").utf8))))
    }

    @Test func whatCantBeReadIsNoKnownAnswer() async throws {
        let client = RecordingTransport("{").client()
        for _ in 0..<2 {
            await #expect(throws: APIError.self) {
                _ = try await client.list(unless: AnswerFingerprint(of: Array(Documented.list.utf8)))
            }
        }
    }

    @Test func aListOfWhichNoRecordCanBeReadIsNone() async throws {
        let body = #"{"targets":[{"sKey":"x","targetName":7},{"sKey":"y"}],"message":"Success"}"#
        let error = await #expect(throws: APIError.self) { try await RecordingTransport(body).client().list(unless: nil) }
        #expect(error?.code == .malformed)
        #expect(
            error?.description
                == "None of the 2 records of the Targets API's list can be read; the first: record 0 x: targetName is not text")
        // Whoever looks at it by hand is shown what is wrong with each.
        #expect(try await RecordingTransport(body).client().list().rejected.count == 2)
        let empty = RecordingTransport(#"{"targets":[],"message":"Success"}"#).client()
        guard case .list(let list, _) = try await empty.list(unless: nil) else {
            Issue.record("nothing was known")
            return
        }
        #expect(list == TargetList(targets: []))
    }

    @Test(arguments: [
        (
            200, APIError.Code.notJSON,
            "The Targets API's answer can't be decoded: its Content-Encoding is br, and only gzip or deflate, once, was asked for."
        ),
        (401, .unauthorized, "The Targets API answered 401 with a body that can't be decoded (br)"),
        (500, .httpStatus, "The Targets API answered 500 with a body that can't be decoded (br)"),
    ])
    func aBodyThatCantBeDecodedIsSaidSo(status: Int, code: APIError.Code, said: String) async {
        var response = APIResponse(status: status, contentType: "application/json", body: [])
        response.undecoded = "br"
        let transport = RecordingTransport(.success(response))
        let error = await #expect(throws: APIError.self) { try await transport.client().list() }
        #expect(error?.code == code && error?.description == said)
        let isDeleted = status == 200
        do throws(APIError) {
            try await transport.client().delete("x")
            #expect(isDeleted)
        } catch { #expect(!isDeleted) }
    }

    @Test func theTokenGoesBareIntoAuthorization() async throws {
        let transport = RecordingTransport(Documented.list)
        _ = try await transport.client().list()
        let header = transport.asked.first?.headers.first { $0.name == "Authorization" }
        #expect(header?.value.revealed == "s3cr3t-token")
    }

    @Test func aPrintedRequestHidesTheToken() async throws {
        let transport = RecordingTransport(Documented.list)
        _ = try await transport.client().list()
        #expect(!String(reflecting: transport.asked).contains("s3cr3t"))
        #expect(!String(reflecting: transport.client()).contains("s3cr3t"))
    }

    @Test func getAsksForOne() async throws {
        let transport = RecordingTransport(Documented.list)
        let record = try await transport.client().get("tgt_789e4567")
        #expect(record.sKey == "tgt_789e4567")
        #expect(transport.asked.map(\.path) == [place + "/tgt_789e4567"])
    }

    @Test func createSendsTheDocumentedBody() async throws {
        let transport = RecordingTransport(Documented.created)
        let record = try await transport.client().create(TargetDraft(json: Array(Documented.create.utf8)))
        #expect(record.name == "Stripe API")
        let asked = try #require(transport.asked.first)
        #expect((asked.method, asked.path) == (.post, place))
        #expect(String(decoding: asked.body ?? [], as: UTF8.self) == Documented.create)
        #expect(asked.headers.contains { $0.name == "Content-Type" && $0.value == .plain("application/json") })
    }

    @Test func updateSendsOnlyWhatChanges() async throws {
        let transport = RecordingTransport(Documented.updated)
        let record = try await transport.client().update("tgt_1", TargetChange(testPath: "/v2/health"))
        #expect(record.updatedAt == Timestamp("2024-01-22T12:30:00.000Z"))
        let asked = try #require(transport.asked.first)
        #expect((asked.method, asked.path) == (.put, place + "/tgt_1"))
        #expect(String(decoding: asked.body ?? [], as: UTF8.self) == #"{"targetTestPath":"/v2/health"}"#)
    }

    @Test func deleteNeedsNoTargetsInItsAnswer() async throws {
        let transport = RecordingTransport(Documented.deleted)
        try await transport.client().delete("tgt_1")
        #expect(transport.asked.map(\.method) == [.delete])
    }

    @Test(arguments: [
        ("", 500, "", APIError.Code.httpStatus, "The Targets API answered 500 with an empty body"),
        (#"{"message":"boom"}"#, 500, "", .httpStatus, "The Targets API answered 500 and said: boom"),
        ("<h1>x</h1>", 502, "text/html", .httpStatus, "The Targets API answered 502 with an HTML page"),
        ("moved", 302, "", .httpStatus, "The Targets API answered 302 which sends elsewhere, and a token doesn't follow"),
        (Documented.deleted, 203, "", .httpStatus, "The Targets API answered 203 and said: Target deleted successfully"),
        ("no", 401, "", .unauthorized, "The Targets API answered 401 and said: no"),
        ("\u{1B}[31m", 403, "", .unauthorized, #"The Targets API answered 403 and said: \u{1b}[31m"#),
        ("", 200, "", .emptyBody, "The Targets API answered 200 with an empty body."),
        (" \n<!doctype html>", 200, "", .notJSON, "The Targets API answered with an HTML page instead of JSON."),
        ("{\"targets\":[{", 200, "", .notJSON, "The Targets API's answer (13 bytes) is not JSON, or was cut short."),
        ("{}", 200, "", .malformed, "The Targets API's answer has an unknown shape: targets is missing."),
    ])
    func aBadAnswerToAListHasItsCode(
        body: String, status: Int, contentType: String, code: APIError.Code, said: String
    ) async {
        let client = RecordingTransport(body, status: status, contentType: contentType).client()
        let error = await #expect(throws: APIError.self) { try await client.list() }
        #expect(error?.code == code)
        #expect(error?.httpStatus == status)
        #expect(error?.description == said)
    }

    @Test(arguments: [
        (TransportError.Kind.dns, "dns_failed"), (.connect, "connect_failed"), (.tls, "tls_failed"), (.timeout, "timeout"),
        (.tooLarge, "too_large"), (.unusable, "address_unusable"), (.cancelled, "cancelled"), (.other, "transport_failed"),
    ])
    func everyTransportErrorHasItsLabel(kind: TransportError.Kind, label: String) async {
        let client = RecordingTransport(.failure(TransportError(kind, detail: "x"))).client()
        let error = await #expect(throws: APIError.self) { try await client.list() }
        #expect(error?.reasonLabel == label)
    }

    @Test func aListPastItsBoundIsTooLargeWhateverTheTransportLetThrough() async {
        let client = RecordingTransport(Documented.list).client(maxList: 100)
        let error = await #expect(throws: APIError.self) { try await client.list() }
        #expect(error?.code == .tooLarge)
    }

    @Test(arguments: [1, 5, 12, 700, 3000])
    func aServerThatEchoesTheTokenDoesNotPutItIntoTheError(length: Int) async {
        let token = String("s3cr3t".prefix(length)) + String(repeating: "z", count: max(0, length - 6))
        let echo = String(repeating: token, count: 6000 / length + 2)
        for client in [
            RecordingTransport(echo, status: 400).client(token: token),
            RecordingTransport(#"{"message":"\#(echo)"}"#, status: 400).client(token: token),
            RecordingTransport(.failure(TransportError(.tls, detail: echo))).client(token: token),
        ] {
            let error = await #expect(throws: APIError.self) { try await client.list() }
            let shown = (error?.explanation ?? "").replacing("[secret]", with: "").replacing("The Targets API", with: "")
            #expect(!shown.contains("zzzz") && !shown.contains("s3cr3t"))
        }
    }

    @Test func whatAnErrorShowsIsShort() async {
        let client = RecordingTransport(String(repeating: "y", count: 500_000), status: 500).client()
        let error = await #expect(throws: APIError.self) { try await client.list() }
        #expect((error?.explanation.count ?? .max) < 2200)
    }

    @Test(arguments: ["", "two words", "line\r\nX-Injected: 1", "ü"])
    func aTokenThatNoHeaderCanCarryIsNotSent(token: String) async {
        let transport = RecordingTransport(Documented.list)
        let error = await #expect(throws: APIError.self) { try await transport.client(token: token).list() }
        #expect(error?.code == .tokenUnusable)
        #expect(transport.asked.isEmpty)
    }

    @Test func oneTargetIsExpectedInTheAnswerToAGet() async {
        let client = RecordingTransport(#"{"targets":[],"message":"Success"}"#).client()
        let error = await #expect(throws: APIError.self) { try await client.get("x") }
        #expect(error?.code == .malformed)
    }
}

/// What is shown of an answer that may hold the token.
@Suite struct RedactorTests {
    @Test(arguments: [
        ("tok", "the token is wrong", "the token is wrong"),
        ("tok", "the token \"tok\" is wrong: tok", "the token \"[secret]\" is wrong: [secret]"),
        ("tok", "tok_1 and 1tok and tok-1", "tok_1 and 1tok and [secret]-1"),
        ("tok", "Ätok tokä", "Ätok tokä"),
        ("-tok", "a-tok b", "a[secret] b"),
        ("t0ken-that-is-long", "x=t0ken-that-is-long; y", "x=[secret]; y"),
        ("t0ken-that-is-long", "at0ken-that-is-longer y", "[secret] y"),
        ("", "nothing", "nothing"),
    ])
    func aTokenIsTakenOutAndNoWordIsCut(token: String, text: String, shown: String) {
        #expect(Redactor(token: Secret(token)).shown(text) == shown)
    }
}
