internal import CCurl
internal import CReceive

/// One transfer from its submission to its report. Belongs to the engine's thread.
final class Transfer {
    enum Stage { case waiting, awaitingBundle, lookingUp, running }

    /// Bytes of all header lines together: 1xx answers and trailers count too, so that none of them can go on for ever.
    static let headerLimit = 64 * 1024
    /// Of what is read, one byte in so many must be header or body, past the bytes that a handshake or a proxy may take: an honest server
    /// puts a chunk's length, a frame's head and a TLS record's around pieces of one byte even.
    private static let bytesPerUsefulByte = 64
    private static let uselessBytesMax = 256 << 10
    static let overrunWords = "it sends on and on, and most of that is neither header nor body"

    let id: UInt64
    let request: TransferRequest
    let continuation: CheckedContinuation<TransferReport, Never>
    var stage = Stage.waiting
    var handle: EasyHandle?
    /// The report's address is the one to connect to.
    var isChosen = false
    var proxyAddress: SocketAddress?
    var report: TransferReport

    /// By the monotonic clock, in nanoseconds; `addedAt` is when libcurl got it.
    private(set) var beganAt: UInt64 = 0
    private(set) var deadline: UInt64 = 0
    var addedAt: UInt64 = 0

    // What the callbacks saw.
    private(set) var headerBytes = 0
    /// When the answer's first bytes had come, by the kernel; libcurl's own time of it is when they were read.
    private(set) var answeredAt: UInt64?
    private var sawEndOfHeaders = false
    /// What the answer at hand says of its body's length.
    private var declaredLength: Int?
    private(set) var decoding = BodyDecoding()
    /// Of the answer at hand, when the request keeps them.
    private(set) var fields = HeaderFields()
    /// Of the answer at hand; as many as libcurl itself takes of one.
    private(set) var setCookies: [[UInt8]] = []
    private static let setCookiesMax = 50
    /// Of a kept connection, after its handshake and before this transfer.
    private var messagesBefore: Int?
    private var usefulBytes = 0
    private var uselessBytes = 0
    /// False in a transfer under way: it has a kept connection.
    private(set) var openedSocket = false
    /// What came was neither header nor body for too long.
    private(set) var isOverrun = false
    /// The loop ended it at its deadline, because libcurl didn't.
    var isOverdue = false
    /// Why a callback ended the transfer.
    private(set) var abortedAs: TransferFailure.Code?
    /// What is to be said of it, where the code alone doesn't.
    private(set) var abortWords: String?
    /// On a kept connection stood an answer before the request was made.
    private(set) var isUnasked = false
    /// An errno of our own making: no socket, no place in the epoll set.
    var localError: Int32 = 0
    let witness: HandshakeObserver?

    /// When libcurl got it for the first time, where this is the second.
    private(set) var triedAt: UInt64?
    /// Nanoseconds for which the engine's thread had stood still when the transfer began.
    var standstillBefore: UInt64 = 0

    let kept: KeptConnections
    /// By whom the target's certificate is to be signed.
    var bundle: ParsedBundle?
    let bundlePath: String
    /// Never one of HTTP/2 without TLS: on a kept one libcurl 7.88.1 sends no second request, and says that the framing is wrong.
    var keepsConnection: Bool {
        request.connection == .reuse && !(request.httpVersion == .http2 && request.url.scheme == "http")
    }

    init(_ submission: Submission, _ kept: KeptConnections, systemBundle: String) {
        self.kept = kept
        bundlePath = submission.request.caFile ?? systemBundle
        id = submission.id
        request = submission.request
        continuation = submission.continuation
        report = TransferReport(startedAt: .now, startedAtMilliseconds: 0)
        witness = request.url.scheme == "https" ? HandshakeObserver() : nil
    }

    /// The same once more, on a new connection. Of what the first try saw only the times are left.
    convenience init(again first: Transfer) {
        let submission = Submission(id: first.id, request: first.request, continuation: first.continuation)
        self.init(submission, first.kept, systemBundle: first.bundlePath)
        (isChosen, proxyAddress, bundle, report) = (first.isChosen, first.proxyAddress, first.bundle, first.report)
        (report.body, report.bodyLength) = ([], 0)
        (beganAt, deadline, triedAt) = (first.beganAt, first.deadline, first.addedAt)
        standstillBefore = first.standstillBefore
    }

    static func of(_ easy: UnsafeMutableRawPointer) -> Transfer? {
        rf_get_private(easy).map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    /// What is being looked up, or would be first: the target's name, then the proxy's.
    var lookupName: LookupName {
        let usesSearch = request.usesSearchDomains
        if let proxy = request.proxy, isChosen {
            return LookupName(host: proxy.host, family: .any, usesSearchDomains: usesSearch)
        }
        return LookupName(host: request.url.host, family: request.family, usesSearchDomains: usesSearch)
    }

    /// What it waits for has no deadline of its own.
    var isParked: Bool { stage == .awaitingBundle || stage == .lookingUp }

    func markBeginning() {
        report.startedAt = .now
        report.startedAtMilliseconds = wallMilliseconds()
        beganAt = monotonicNanoseconds()
        deadline = beganAt + request.timeout.boundedNanoseconds
    }

    /// An answer whose headers came to their end; a 1xx alone is none.
    var hasAnswer: Bool {
        guard sawEndOfHeaders, let handle else { return false }
        let status = rf_get_long(handle.pointer, CURLINFO_RESPONSE_CODE)
        return (200...999).contains(status) || status == 101
    }
}

/// What libcurl's callbacks tell.
extension Transfer {
    /// False ends the transfer.
    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        if headerBytes == 0, let handle, let ssl = witness == nil ? nil : rf_get_ssl(handle.pointer) { witness?.observe(ssl) }
        // A proxy's answer comes first, and isn't the target's.
        if headerBytes == 0, request.proxy == nil || !openedSocket { answeredAt = lastArrivalNanoseconds() }
        if headerBytes == 0, !openedSocket, let answeredAt, answeredAt < addedAt {
            isUnasked = true
            abort(.protocolError, "its kept connection held an answer that nobody had asked for")
        }
        headerBytes += line.count
        // libcurl calls an answer complete that was closed in the middle of its headers; only the empty line says that they are.
        if line.first == UInt8(ascii: "\r") || line.first == UInt8(ascii: "\n") {
            sawEndOfHeaders = true
        } else if line.starts(with: "HTTP/".utf8) {
            (sawEndOfHeaders, declaredLength) = (false, nil)
            decoding.begin()
            setCookies.removeAll()
            fields.begin()
        } else if !agreesOnLength(line) {
            abort(.protocolError, "its Content-Length is no number, or more than one")
        } else if !sawEndOfHeaders, !noteCodings(line) {
            abort(.protocolError, "its Transfer-Encoding is none that was asked for")
        }
        if !sawEndOfHeaders, setCookies.count < Self.setCookiesMax, let cookie = value(of: line, named: "set-cookie:") {
            setCookies.append(Array(cookie))
        }
        if request.keepHeaders, !sawEndOfHeaders, !line.starts(with: "HTTP/".utf8) { fields.note(line) }
        if headerBytes > Self.headerLimit { abort(.protocolError, "more than \(Self.headerLimit) bytes of headers") }
        return abortedAs == nil
    }

    /// RFC 9112 section 6.3: lengths that differ, or are no numbers, make an answer whose end nobody knows. libcurl takes the last of
    /// several, and none for one that is past all numbers.
    private func agreesOnLength(_ line: UnsafeRawBufferPointer) -> Bool {
        for digits in elements(of: line, named: "content-length:") {
            guard digits.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(String(decoding: digits, as: UTF8.self)),
                length == declaredLength ?? length
            else { return false }
            declaredLength = length
        }
        return true
    }

    /// What a body is encoded in matters once it comes. What frames it must be known: false when it isn't.
    private func noteCodings(_ line: UnsafeRawBufferPointer) -> Bool {
        for coding in elements(of: line, named: "content-encoding:") where !coding.isEmpty { decoding.note(coding) }
        let isFramed = elements(of: line, named: "transfer-encoding:").allSatisfy { $0.isEmpty || decoding.noteTransfer($0) }
        return isFramed || !hasBody
    }

    /// RFC 9112 section 6.3: these have none, whatever their headers say.
    private var hasBody: Bool {
        guard request.method != "HEAD", let handle else { return false }
        let status = rf_get_long(handle.pointer, CURLINFO_RESPONSE_CODE)
        return status >= 200 && status != 204 && status != 304
    }

    /// Of a header line whose value is a list (RFC 9110 section 5.6.1); none of a line with another name.
    private func elements(of line: UnsafeRawBufferPointer, named name: StaticString) -> [Slice<UnsafeRawBufferPointer>] {
        value(of: line, named: name)?.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map(\.trimmed) ?? []
    }

    /// nil of a line with another name.
    private func value(of line: UnsafeRawBufferPointer, named name: StaticString) -> Slice<UnsafeRawBufferPointer>? {
        let name = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        guard line.count > name.count, zip(line, name).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) else { return nil }
        return line.dropFirst(name.count).trimmed
    }

    func abort(_ code: TransferFailure.Code, _ words: String? = nil) {
        guard abortedAs == nil else { return }
        (abortedAs, abortWords) = (code, words)
    }

    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if report.body.isEmpty, request.keepBody > bytes.count, let handle {
            // An array that doubles while it grows would need three times the room of a long list.
            let declared = rf_get_offset(handle.pointer, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T)
            if declared > 0 { report.body.reserveCapacity(min(request.keepBody, Int(declared))) }
        }
        decoding.decode(bytes) { report.take($0, of: request) }
        if report.bodyLength > request.maxBody { abort(.bodyTooLarge) }
        return abortedAs == nil
    }

    /// Bytes of body on the wire: a stream can be endless and decode to nothing. libcurl calls this with every read, too.
    func progress(downloaded: Int, uploaded: Int) -> Bool {
        if downloaded > request.maxBody { abort(.bodyTooLarge) }
        let before = usefulBytes
        usefulBytes = headerBytes + downloaded
        uselessBytes = max(0, uselessBytes + rf_turn_takes() - (usefulBytes - before) * Self.bytesPerUsefulByte)
        isOverrun = isOverrun || uselessBytes > Self.uselessBytesMax || hasTooMuchAfterHandshake
        return abortedAs == nil && !isOverrun
    }

    /// A kept connection's handshake was another transfer's.
    private var hasTooMuchAfterHandshake: Bool {
        guard let witness else { return false }
        if openedSocket { return witness.hasTooMuchAfterHandshake(since: 0) }
        guard let handle, let ssl = rf_get_ssl(handle.pointer), let other = HandshakeObserver.of(ssl) else { return false }
        messagesBefore = messagesBefore ?? other.messagesAfterHandshake
        return other.hasTooMuchAfterHandshake(since: messagesBefore ?? 0)
    }

    /// Where a connection leads that this transfer opened for others too, or was given.
    var keptEndpoint: KeptConnections.Endpoint? {
        guard keepsConnection, let address = report.address else { return nil }
        return KeptConnections.Endpoint(host: request.url.host, port: request.url.port, address: address)
    }

    /// A socket for the connection, or -1. The egress rule is asked once more, at the last place before the network.
    func openSocket(_ target: UnsafeMutablePointer<curl_sockaddr>) -> Int32 {
        openedSocket = true
        let address = withUnsafePointer(to: &target.pointee.addr) { SocketAddress($0) }
        // The proxy is the configuration's choice and not a target's.
        if let allows = request.allows, request.proxy == nil || address != proxyAddress, !(address.map(allows) ?? false) {
            abort(.addressDenied)
            return -1
        }
        let descriptor = newSocket(target.pointee.family, target.pointee.socktype, target.pointee.protocol)
        if descriptor.error != 0 { localError = descriptor.error }
        if descriptor.value >= 0 { rf_note_arrivals(descriptor.value) }
        if descriptor.value >= 0, let keptEndpoint { kept.opened(descriptor.value, keptEndpoint) }
        return descriptor.value
    }
}

extension Slice<UnsafeRawBufferPointer> {
    /// Without white space and the line's end.
    fileprivate var trimmed: Self {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d || $0 == 0x0a }
        var rest = drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return rest
    }
}
