internal import ConnectionLimits
internal import HTTPTypes
internal import Health
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import TargetsAPI

/// What the server answers to each request. Nothing that a request can hold makes it answer 500; only the database can.
struct Answers: Sendable {
    /// A create with every member at its bound and escaped at its longest takes less than half of this.
    static let bodyLimit = 64 * 1024

    let store: TargetStore
    let access: Access
    let bodies: ListBodies
    let rules: RequestRules
    let troubles: TroubleLog

    /// An answer to HEAD has no body (RFC 9110, section 9.3.2): one would pass for the next answer of the connection.
    ///
    /// - Parameter connection: ends after the answer to whoever holds no token, and stays for who does.
    func respond(to request: Request, over connection: ClientConnection) async -> Response {
        let asked = access.ask(request.headers[.authorization])
        if asked.isByHolder { connection.trust() }
        var response = await response(to: request, by: asked, over: connection)
        if !asked.isByHolder { response.headers[.connection] = "close" }
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func response(to request: Request, by asked: Access.Answer, over connection: ClientConnection) async -> Response {
        let way: TroubleLog.Way = [.get, .head].contains(request.method) ? .reading : .writing
        do {
            let answer = try await answer(to: request, by: asked, over: connection)
            troubles.noteSuccess(way)
            return Self.response(answer, over: connection)
        } catch let refusal as Refusal {
            return Self.response(refusal)
        } catch is CancellationError {
            return Self.response(Refusal(.serviceUnavailable, "The server is stopping."))
        } catch let error as StoreError {
            troubles.note(error, way)
            return Self.response(Refusal(error))
        } catch {
            troubles.note(StoreError(error, path: store.database.path), way)
            return Self.response(Refusal(.internalServerError, "The server's database failed."))
        }
    }

    private struct Answer {
        var status: HTTPResponse.Status
        var body: [UInt8]
        /// Of what is in the body, or of what the client has already.
        var tag: EntityTag?
        /// Instead of the body.
        var list: ListBody?

        init(_ status: HTTPResponse.Status, _ body: [UInt8], tag: EntityTag? = nil) {
            (self.status, self.body, self.tag) = (status, body, tag)
        }

        init(_ list: ListBody) { (status, body, tag, self.list) = (.ok, [], list.tag, list) }

        init(_ body: [UInt8], tag: EntityTag? = nil) { self.init(.ok, body, tag: tag) }
    }

    private func answer(to request: Request, by asked: Access.Answer, over connection: ClientConnection) async throws -> Answer {
        try checkOrigin(of: request)
        let holder = try holder(asked)
        guard let route = TargetsRoute(path: path(of: request)), !hasNUL(route) else {
            throw Refusal(.notFound, "There is nothing here. Targets are at /api/clients/{clientId}/targets.")
        }
        switch route {
        case .list(let clientID):
            try check(holder, may: request.method, for: clientID)
            return try await answer(to: request, listOf: clientID, by: holder.name, over: connection)
        case .target(let identity):
            try check(holder, may: request.method, for: identity.clientID)
            return try await answer(to: request, for: identity, by: holder.name, over: connection)
        }
    }

    private func answer(
        to request: Request, listOf clientID: String, by holder: String, over connection: ClientConnection
    ) async throws -> Answer {
        switch request.method {
        case .get:
            let known = EntityTag(try await store.revision(clientID: clientID))
            if known.isIn(request.headers[values: .ifNoneMatch], weakly: true) { return Answer(.notModified, [], tag: known) }
            let store = store
            do {
                let body = try await bodies.body(of: clientID, tag: known) {
                    let list = try await store.list(clientID: clientID)
                    return (TargetRecord.envelope(list.records, .success), EntityTag(list.revision))
                }
                return Answer(body)
            } catch is ListBodies.Crowded {
                throw Refusal(
                    .serviceUnavailable, "Too much of earlier states of lists is still being sent: try again in a moment.",
                    retryAfter: ListBodies.retryAfterSeconds)
            }
        case .post:
            let draft = try await document(of: request, over: connection) { json throws(DocumentProblem) in
                try TargetDraft(json: json)
            }
            try refuseNUL(in: [draft.name, draft.baseURL, draft.testPath, draft.region])
            do {
                let once = try idempotencyKey(of: request)
                return Answer(
                    TargetRecord.envelope(try await store.create([draft], clientID: clientID, once: once, by: holder), .created))
            } catch TargetStore.Reused.reused {
                throw Refusal(
                    .unprocessableContent, "This Idempotency-Key was sent with another body, or its target was deleted since.")
            } catch TargetStore.Full.full {
                throw Refusal(.conflict, "The client has \(TargetStore.targetsPerClientMax) targets; it can have no more.")
            }
        default: throw Refusal(methodNotAllowed: request.method, allow: "GET, POST")
        }
    }

    private func answer(
        to request: Request, for identity: TargetIdentity, by holder: String, over connection: ClientConnection
    ) async throws -> Answer {
        let record: TargetRecord?
        let expected = request.headers[values: .ifMatch]
        let isExpected: @Sendable (TargetRecord) -> Bool = { expected.isEmpty || EntityTag($0).isIn(expected) }
        switch request.method {
        case .get: record = try await store.get(identity)
        case .put:
            let change = try await document(of: request, over: connection) { json throws(DocumentProblem) in
                try TargetChange(json: json)
            }
            try refuseNUL(in: [change.name, change.baseURL, change.testPath].compactMap(\.self))
            guard !change.isEmpty else {
                throw Refusal(
                    .badRequest,
                    "Nothing to change: send any of targetName, targetBaseURL, targetTestPath, targetDefaultRuleEffect.")
            }
            record = try await unlessStale { try await store.update(identity, change, by: holder, isExpected: isExpected) }
        case .delete:
            guard try await unlessStale({ try await store.delete(identity, by: holder, isExpected: isExpected) }) else {
                throw Refusal.noSuchTarget
            }
            return Answer(messageDocument(TargetsMessage.deleted.rawValue))
        default: throw Refusal(methodNotAllowed: request.method, allow: "GET, PUT, DELETE")
        }
        guard let record else { throw Refusal.noSuchTarget }
        return Answer(TargetRecord.envelope([record], request.method == .put ? .updated : .success), tag: EntityTag(record))
    }

    /// A create that is sent again with the same key is done once (draft-ietf-httpapi-idempotency-key-header).
    private func idempotencyKey(of request: Request) throws(Refusal) -> String? {
        guard let name = HTTPField.Name("Idempotency-Key"), let key = request.headers[name] else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Refusal(.badRequest, "Idempotency-Key has to be 1 to 255 visible characters of ASCII.")
        }
        return key
    }

    private func unlessStale<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch is TargetStore.Stale {
            throw Refusal(
                .preconditionFailed, "The target was changed since it was read: read it again, and send its new ETag in If-Match."
            )
        }
    }
}

// MARK: What is asked of a request before it is answered

extension Answers {
    private func checkOrigin(of request: Request) throws(Refusal) {
        // The first Host header became the authority; a second one is still a header.
        let hasSecondHost = HTTPField.Name("Host").map { request.headers.contains($0) } ?? false
        let refusal = rules.refusal(
            method: request.method.rawValue, host: hasSecondHost ? nil : request.head.authority,
            origin: request.headers[.origin], secFetchSite: HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] })
        if let refusal { throw Refusal(HTTPResponse.Status(code: refusal.status), refusal.sentence) }
    }

    private func holder(_ asked: Access.Answer) throws(Refusal) -> AccessToken {
        if let wait = asked.retryAfter {
            throw Refusal(
                .tooManyRequests, "Too many requests: try again in a moment.", retryAfter: Int((wait / .seconds(1)).rounded(.up)))
        }
        guard case .holder(let token) = asked.who else {
            throw Refusal(.unauthorized, "Send the token in Authorization, bare, without a scheme.")
        }
        return token
    }

    /// Before anything is looked up: the answer is the same whether there is such a client or target or not.
    private func check(_ holder: AccessToken, may method: HTTPRequest.Method, for clientID: String) throws(Refusal) {
        // By bytes, as the database compares: Swift takes two spellings of a letter for one.
        guard holder.clientID.map({ $0.hasSameBytes(as: clientID) }) ?? true else {
            throw Refusal(.forbidden, "This token is for another client.")
        }
        guard holder.mayWrite || ![.post, .put, .delete].contains(method) else {
            throw Refusal(.forbidden, "This token may only read.")
        }
    }

    private func document<Value>(
        of request: Request, over connection: ClientConnection, _ read: ([UInt8]) throws(DocumentProblem) -> Value
    ) async throws -> Value {
        let type = request.headers[.contentType]?.split(separator: ";").first.map { trimmed($0).lowercased() }
        guard type == "application/json" else { throw Refusal(.unsupportedMediaType, "Send the body as application/json.") }
        let tooLarge = Refusal(.contentTooLarge, "The body is longer than \(Self.bodyLimit) bytes.")
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > Self.bodyLimit { throw tooLarge }
        let body: ByteBuffer
        do {
            await connection.askForBody()
            body = try await request.body.collect(upTo: Self.bodyLimit)
        } catch is NIOTooManyBytesError {
            throw tooLarge
        } catch {
            throw Refusal(.badRequest, "The body could not be read.")
        }
        do throws(DocumentProblem) {
            return try read(Array(body.readableBytesView))
        } catch {
            throw Refusal(error)
        }
    }

    /// SQLite would cut a text short there.
    private func refuseNUL(in texts: [String]) throws(Refusal) {
        guard !texts.contains(where: { $0.utf8.contains(0) }) else {
            throw Refusal(.badRequest, "The character U+0000 can't be kept.")
        }
    }

    private func hasNUL(_ route: TargetsRoute) -> Bool {
        switch route {
        case .list(let clientID): clientID.utf8.contains(0)
        case .target(let identity): identity.clientID.utf8.contains(0) || identity.key.utf8.contains(0)
        }
    }

    private func path(of request: Request) -> Substring {
        (request.head.path ?? "").prefix { $0 != "?" }
    }

    private func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }

    private static func response(_ refusal: Refusal) -> Response {
        response(Answer(refusal.status, messageDocument(refusal.message, errors: refusal.errors)), to: refusal)
    }

    private static func response(_ answer: Answer, to refusal: Refusal? = nil, over connection: ClientConnection? = nil)
        -> Response
    {
        // No-cache and not no-store: who has an answer may keep it, and has to ask whether it still holds.
        var headers: HTTPFields = [
            .cacheControl: answer.tag == nil ? "no-store" : "private, no-cache", .xContentTypeOptions: "nosniff",
        ]
        if let allow = refusal?.allow { headers[.allow] = allow }
        if let seconds = refusal?.retryAfter { headers[.retryAfter] = "\(seconds)" }
        if let tag = answer.tag { headers[.eTag] = tag.text }
        guard answer.status != .notModified else {
            return Response(status: answer.status, headers: headers, body: ResponseBody())
        }
        headers[.contentType] = "application/json"
        if let list = answer.list, let connection {
            return Response(status: answer.status, headers: headers, body: list.responseBody(over: connection.channel))
        }
        let body = ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body))
        return Response(status: answer.status, headers: headers, body: body)
    }
}
