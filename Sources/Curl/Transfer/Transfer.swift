internal import CCurl
internal import CReceive

/// One transfer from its submission to its report: it binds what libcurl's callbacks tell to the values that judge it. Belongs to the
/// engine's thread.
final class Transfer {
    let id: UInt64
    let request: TransferRequest
    let continuation: CheckedContinuation<TransferReport, Never>
    let kept: KeptConnections
    private let certificates: KnownCertificates
    let bundlePath: String
    /// nil without TLS.
    let handshake: HandshakeObserver?

    var state = TransferState.waiting
    var times = TransferTimes()
    var report: TransferReport
    /// Those who may sign the target's certificate.
    var bundle: ParsedBundle?
    var proxyAddress: SocketAddress?
    var handle: EasyHandle?

    // What the callbacks saw.
    private(set) var head: AnswerHead
    private var budget = ReceiveBudget()
    /// False in a transfer under way: it has a kept connection.
    private(set) var openedSocket = false
    /// libcurl has sent the request more than once: its own marks of how far the connection has come are those of the first time.
    private(set) var isRepeated = false
    private(set) var abortReason: AbortReason?

    init(
        _ submission: Submission, _ kept: KeptConnections, _ certificates: KnownCertificates = KnownCertificates(),
        systemBundle: String
    ) {
        self.kept = kept
        self.certificates = certificates
        bundlePath = submission.request.caFile ?? systemBundle
        id = submission.id
        request = submission.request
        continuation = submission.continuation
        report = TransferReport(startedAt: .now, startedAtMilliseconds: 0)
        handshake = request.url.scheme == "https" ? HandshakeObserver(certificates) : nil
        head = AnswerHead(request)
    }

    /// The same once more, on a new connection. Of what the first try saw only the times are left.
    convenience init(again first: Transfer) {
        let submission = Submission(id: first.id, request: first.request, continuation: first.continuation)
        self.init(submission, first.kept, first.certificates, systemBundle: first.bundlePath)
        (state, times) = (.preparing, first.timesOfSecondTry)
        (proxyAddress, bundle, report) = (first.proxyAddress, first.bundle, first.report)
        (report.body, report.bodyLength) = ([], 0)
    }

    static func of(_ easy: UnsafeMutableRawPointer) -> Transfer? {
        rf_get_private(easy).map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Never one of HTTP/2 without TLS: on a kept one libcurl 7.88.1 sends no second request, and says that the framing is wrong.
    var keepsConnection: Bool {
        request.connection == .reuse && !(request.httpVersion == .http2 && request.url.scheme == "http")
    }

    /// A certificate of ours, to a server that asks for one.
    var showsCertificate: Bool { request.clientCertificate != nil && handshake != nil }

    /// What its connection has of TLS is for no other connection.
    var needsOwnContext: Bool { showsCertificate || !request.verifiesCertificates && handshake != nil }

    /// Where a connection leads that this transfer opened for others too, or was given.
    var keptEndpoint: KeptConnections.Endpoint? {
        guard keepsConnection, let address = report.address else { return nil }
        return KeptConnections.Endpoint(host: request.url.host, port: request.url.port, address: address)
    }

    /// As libcurl reads it; -1 before there is one.
    var status: Int { handle.map { rf_get_long($0.pointer, CURLINFO_RESPONSE_CODE) } ?? -1 }

    /// An answer whose headers came to their end; a 1xx alone is none.
    var hasAnswer: Bool {
        guard head.isComplete else { return false }
        let status = status
        return (200...999).contains(status) || status == 101
    }

    func markBeginning() {
        report.startedAt = .now
        report.startedAtMilliseconds = wallMilliseconds()
        times.beganAt = monotonicNanoseconds()
        times.deadline = times.beganAt + request.timeout.boundedNanoseconds
    }

    /// libcurl takes another connection: a new one, which it asks a socket for next, or a kept one.
    func leaveConnection() { (openedSocket, isRepeated) = (false, true) }

    func abort(_ reason: AbortReason) {
        if abortReason?.isReplaced(by: reason) ?? true { abortReason = reason }
    }
}

/// What libcurl's callbacks tell. Where the answer is false, the callback has libcurl end the transfer.
extension Transfer {
    private var goesOn: Bool { !(abortReason?.endsTransfer ?? false) }

    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        if head.byteCount == 0 { observeConnection() }
        if let fault = head.read(line, status: status) { abort(.head(fault)) }
        return goesOn
    }

    /// At the first header line.
    private func observeConnection() {
        if let handle, let handshake, let ssl = rf_get_ssl(handle.pointer) { handshake.observe(ssl) }
        times.answeredAt = lastArrival
        if !openedSocket, times.wasAnsweredBeforeAdded { abort(.unaskedAnswer) }
    }

    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if report.body.isEmpty, request.keepBody > bytes.count, let handle {
            // An array that doubles while it grows would need three times the room of a long list.
            let declared = rf_get_offset(handle.pointer, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T)
            if declared > 0 { report.body.reserveCapacity(min(request.keepBody, Int(declared))) }
        }
        head.decoding.decode(bytes) { report.take($0, of: request) }
        if report.bodyLength > request.maxBody { abort(.bodyTooLarge(limit: request.maxBody)) }
        return goesOn
    }

    /// Bytes of body on the wire: a stream can be endless and decode to nothing. libcurl calls this with every read, too.
    func progress(downloaded: Int) -> Bool {
        if downloaded > request.maxBody { abort(.bodyTooLarge(limit: request.maxBody)) }
        if !budget.spend(bytes: rf_turn_takes(), useful: head.byteCount + downloaded) { abort(.flood) }
        if let messages = messagesAfterHandshake, !budget.spend(messages: messages, isKept: !openedSocket) { abort(.flood) }
        return goesOn
    }

    /// Of the connection. A kept connection's handshake was another transfer's.
    private var messagesAfterHandshake: Int? {
        guard let handshake else { return nil }
        if openedSocket { return handshake.messagesAfterHandshake }
        guard let handle, let ssl = rf_get_ssl(handle.pointer) else { return nil }
        return HandshakeObserver.of(ssl)?.messagesAfterHandshake
    }

    /// A socket for the connection, or -1. The egress rule is asked once more, at the last place before the network.
    func openSocket(_ target: UnsafeMutablePointer<curl_sockaddr>) -> Int32 {
        if openedSocket || times.requestAt > 0 { libcurlTriesAgain() }
        openedSocket = true
        let address = withUnsafePointer(to: &target.pointee.addr) { SocketAddress($0) }
        // The proxy is the configuration's choice and not a target's.
        if let allows = request.allows, request.proxy == nil || address != proxyAddress, !(address.map(allows) ?? false) {
            abort(.addressDenied)
            return -1
        }
        let descriptor = newSocket(target.pointee.family, target.pointee.socktype, target.pointee.protocol)
        if descriptor.error != 0 { abort(.systemCall(descriptor.error)) }
        if descriptor.value >= 0, let handle { rf_timeline_opens(handle.timeline, descriptor.value) }
        if descriptor.value >= 0, let keptEndpoint { kept.opened(descriptor.value, keptEndpoint) }
        return descriptor.value
    }
}
