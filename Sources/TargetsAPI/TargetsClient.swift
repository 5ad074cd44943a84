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
    private let retries: Retries?

    /// - Parameters:
    ///   - token: goes bare into `Authorization`, with no scheme.
    ///   - maxList: the longest list that is taken, in bytes.
    ///   - timeout: of one request, to the last byte.
    ///   - retries: nil: who asks has a rhythm of its own.
    package init(
        clientID: String, token: Secret, maxList: Int, timeout: Duration, retries: Retries? = nil,
        transport: @escaping APITransport
    ) {
        self.retries = retries
        self.clientID = clientID
        self.token = token
        self.maxList = maxList
        self.timeout = timeout
        self.transport = transport
    }

    package func list() async throws(APIError) -> TargetList {
        try await wholeList(try await send(.get, .list(clientID: clientID), maxBody: maxList))
    }

    /// The list, unless its answer is the one that is known already: reading a list of a hundred thousand targets takes a second of
    /// processor time and four times its size, and nearly every answer is the one before it.
    ///
    /// A list in which no record can be read is an error, for it would empty the list that is known.
    ///
    /// - Parameter targets: those of the known answer, whose memory the list shares.
    package func list(unless known: AnswerFingerprint?, like targets: [Target] = []) async throws(APIError) -> ListAnswer {
        let response = try await send(.get, .list(clientID: clientID), maxBody: maxList, unless: known?.tag)
        if response.status == 304 { return .unchanged }
        // The name of a first page says nothing of the others.
        if response.next != nil {
            return .list(try readable(await wholeList(response, like: targets)), AnswerFingerprint(of: []))
        }
        let fingerprint = AnswerFingerprint(of: response.body, tag: response.tag)
        if let known, known.tag == fingerprint.tag, known.hasSameBody(as: fingerprint) { return .unchanged }
        return .list(try readable(read(response, like: targets)), fingerprint)
    }

    private func readable(_ list: TargetList) throws(APIError) -> TargetList {
        guard list.targets.isEmpty, !list.rejected.isEmpty else { return list }
        throw APIError(unreadable: list, redactor: redactor)
    }

    private static let pagesMax = 1000
    /// Of a list in pages, however long each takes.
    private static let pagesTake = 20

    /// A list and what follows it, where the API hands it out in pages: `Link: <…>; rel="next"` (RFC 8288).
    private func wholeList(_ first: APIResponse, like known: [Target] = []) async throws(APIError) -> TargetList {
        var (list, next, size) = (try read(first, like: known), first.next, first.body.count)
        let began = ContinuousClock.now
        var seen: Set<String> = []
        while let path = next {
            guard seen.count < Self.pagesMax, began.duration(to: .now) < timeout * Self.pagesTake else {
                throw APIError(.tooLarge, "The Targets API's list has no end: \(seen.count) pages, and there are more.")
            }
            guard seen.insert(path).inserted else { throw APIError(.malformed, "The Targets API's list goes round in a circle.") }
            let page = try await send(.get, path: path, maxBody: maxList - size)
            list.append(try read(page, like: known))
            (next, size) = (page.next, size + page.body.count)
        }
        return list
    }

    private func read(_ response: APIResponse, like known: [Target] = []) throws(APIError) -> TargetList {
        do throws(DocumentProblem) {
            return try TargetList(json: response.body, clientID: clientID, known: known)
        } catch {
            throw APIError(error, in: response, redactor: redactor)
        }
    }

    /// - Parameter key: the target's `sKey`.
    package func get(_ key: String) async throws(APIError) -> TargetRecord {
        try record(in: try await send(.get, route(key)))
    }

    /// The answer may lack the new target's `sKey`: the document's does.
    ///
    /// - Parameter once: another create with the same key is this one, for an API that knows Idempotency-Key
    ///   (draft-ietf-httpapi-idempotency-key-header); others ignore it.
    package func create(_ draft: TargetDraft, once: String? = nil) async throws(APIError) -> TargetRecord {
        try record(in: try await send(.post, .list(clientID: clientID), body: draft.json, once: once))
    }

    package func update(_ key: String, _ change: TargetChange) async throws(APIError) -> TargetRecord {
        try record(in: try await send(.put, route(key), body: change.json))
    }

    /// Any answer of 200 is taken for done, whatever its body says; and gone is gone, also by an attempt whose answer was lost.
    package func delete(_ key: String) async throws(APIError) {
        let path = route(key).path
        guard let retries else { return _ = try await sendOnce(.delete, path: path, mayBeEmpty: true) }
        try await retries.run(isRepeatable: true) { attempt throws(APIError) in
            do throws(APIError) {
                _ = try await sendOnce(.delete, path: path, mayBeEmpty: true)
            } catch {
                guard attempt > 1, error.httpStatus == 404 else { throw error }
            }
        }
    }

    private var redactor: Redactor { Redactor(token: token) }

    private func route(_ key: String) -> TargetsRoute { .target(TargetIdentity(clientID: clientID, key: key)) }

    private func record(in response: APIResponse) throws(APIError) -> TargetRecord {
        do throws(DocumentProblem) {
            return try RecordDocument.record(json: response.body)
        } catch {
            throw APIError(error, in: response, redactor: redactor)
        }
    }

    private func send(
        _ method: APIRequest.Method, _ route: TargetsRoute, body: [UInt8]? = nil, maxBody: Int = recordAnswerLimit,
        unless tag: String? = nil, once: String? = nil
    ) async throws(APIError) -> APIResponse {
        try await send(method, path: route.path, body: body, maxBody: maxBody, unless: tag, once: once)
    }

    private func send(
        _ method: APIRequest.Method, path: String, body: [UInt8]? = nil, maxBody: Int, unless tag: String? = nil,
        once: String? = nil
    ) async throws(APIError) -> APIResponse {
        guard let retries else {
            return try await sendOnce(method, path: path, body: body, maxBody: maxBody, unless: tag, once: once)
        }
        return try await retries.run(isRepeatable: method != .post) { _ throws(APIError) in
            try await sendOnce(method, path: path, body: body, maxBody: maxBody, unless: tag, once: once)
        }
    }

    /// Returns an answer of success that has a body within the bound.
    private func sendOnce(
        _ method: APIRequest.Method, path: String, body: [UInt8]? = nil, maxBody: Int = recordAnswerLimit,
        mayBeEmpty: Bool = false, unless tag: String? = nil, once: String? = nil
    ) async throws(APIError) -> APIResponse {
        var headers = try headers(hasBody: body != nil)
        if let tag { headers.append(APIRequest.Header(name: "If-None-Match", value: .plain(tag))) }
        if let once { headers.append(APIRequest.Header(name: "Idempotency-Key", value: .plain(once))) }
        let request = APIRequest(
            method: method, path: path, headers: headers, body: body, maxBody: maxBody, timeout: timeout)
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
        // The document knows 200 alone; the others mean the same of a create and of a delete (RFC 9110, sections 15.3.2 and 15.3.5).
        let isDone = response.status == 200 || method == .post && response.status == 201 || mayBeEmpty && response.status == 204
        guard isDone else { throw APIError(refusal: response, redactor: redactor) }
        if let codings = response.undecoded, !mayBeEmpty {
            throw APIError(undecoded: codings, response.status, redactor: redactor)
        }
        guard mayBeEmpty || !response.body.isEmpty else {
            throw APIError(
                .emptyBody, httpStatus: response.status, "The Targets API answered \(response.status) with an empty body.")
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
