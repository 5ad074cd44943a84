package import Health

/// One client's operations on the Targets API, over a transport that is handed in.
package struct TargetsClient: Sendable {
    /// The longest answer that is taken where only one record can come, in bytes.
    package static let recordAnswerLimit = 1 << 20

    package let clientID: String
    private let token: Secret
    private let maxList: Int
    private let timeout: Duration
    private let transport: APITransport

    /// - Parameters:
    ///   - token: goes bare into `Authorization`, with no scheme.
    ///   - maxList: the longest list that is taken, in bytes.
    ///   - timeout: of one operation, to the last byte.
    package init(clientID: String, token: Secret, maxList: Int, timeout: Duration, transport: @escaping APITransport) {
        self.clientID = clientID
        self.token = token
        self.maxList = maxList
        self.timeout = timeout
        self.transport = transport
    }

    package func list() async throws(APIError) -> TargetList {
        try read(try await send(.get, .list(clientID: clientID), maxBody: maxList))
    }

    /// The list, unless its answer is the one that is known already: reading a list of a hundred thousand targets takes a second of
    /// processor time and four times its size, and nearly every answer is the one before it.
    package func list(unless known: AnswerFingerprint?) async throws(APIError) -> ListAnswer {
        let response = try await send(.get, .list(clientID: clientID), maxBody: maxList, unless: known?.tag)
        if response.status == 304 { return .unchanged }
        let fingerprint = AnswerFingerprint(of: response.body, tag: response.tag)
        if let known, known.tag == fingerprint.tag, known.hasSameBody(as: fingerprint) { return .unchanged }
        return .list(try read(response), fingerprint)
    }

    private func read(_ response: APIResponse) throws(APIError) -> TargetList {
        do throws(DocumentProblem) {
            return try TargetList(json: response.body, clientID: clientID)
        } catch {
            throw APIError(error, in: response, redactor: redactor)
        }
    }

    /// - Parameter key: the target's `sKey`.
    package func get(_ key: String) async throws(APIError) -> TargetRecord {
        try record(in: try await send(.get, place(key)))
    }

    /// The answer may lack the new target's `sKey`: the document's does.
    package func create(_ draft: TargetDraft) async throws(APIError) -> TargetRecord {
        try record(in: try await send(.post, .list(clientID: clientID), body: draft.json))
    }

    package func update(_ key: String, _ change: TargetChange) async throws(APIError) -> TargetRecord {
        try record(in: try await send(.put, place(key), body: change.json))
    }

    /// Any answer of 200 is taken for done, whatever its body says.
    package func delete(_ key: String) async throws(APIError) {
        _ = try await send(.delete, place(key), mayBeEmpty: true)
    }

    private var redactor: Redactor { Redactor(token: token) }

    private func place(_ key: String) -> TargetsRoute { .target(TargetIdentity(clientID: clientID, key: key)) }

    private func record(in response: APIResponse) throws(APIError) -> TargetRecord {
        do throws(DocumentProblem) {
            return try RecordDocument.record(json: response.body)
        } catch {
            throw APIError(error, in: response, redactor: redactor)
        }
    }

    /// Returns an answer of 200 that has a body within the bound.
    private func send(
        _ method: APIRequest.Method, _ route: TargetsRoute, body: [UInt8]? = nil, maxBody: Int = recordAnswerLimit,
        mayBeEmpty: Bool = false, unless tag: String? = nil
    ) async throws(APIError) -> APIResponse {
        var headers = try headers(hasBody: body != nil)
        if let tag { headers.append(APIRequest.Header(name: "If-None-Match", value: .plain(tag))) }
        let request = APIRequest(
            method: method, path: route.path, headers: headers, body: body, maxBody: maxBody, timeout: timeout)
        let response: APIResponse
        do throws(TransportError) {
            response = try await transport(request)
        } catch {
            throw APIError(error, maxBody: maxBody, redactor: redactor)
        }
        guard response.body.count <= maxBody else {
            throw APIError(.tooLarge, httpStatus: response.status, APIError.tooLargeText(maxBody))
        }
        if tag != nil, response.status == 304 { return response }
        guard response.status == 200 else { throw APIError(refusal: response, redactor: redactor) }
        guard mayBeEmpty || !response.body.isEmpty else {
            throw APIError(.emptyBody, httpStatus: 200, "The Targets API answered 200 with an empty body.")
        }
        return response
    }

    private func headers(hasBody: Bool) throws(APIError) -> [APIRequest.Header] {
        let bytes = token.reveal().utf8
        guard !bytes.isEmpty, bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw APIError(.tokenUnusable, "The token is empty or has a character that no header can carry.")
        }
        var headers = [
            APIRequest.Header(name: "Authorization", value: .secret(token)),
            APIRequest.Header(name: "Accept", value: .plain("application/json")),
        ]
        if hasBody { headers.append(APIRequest.Header(name: "Content-Type", value: .plain("application/json"))) }
        return headers
    }
}
