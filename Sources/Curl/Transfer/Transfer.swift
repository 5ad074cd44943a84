internal import CCurl

/// One transfer from its submission to its report. Belongs to the engine's thread.
final class Transfer {
    enum Stage { case waiting, lookingUp, running }

    /// Bytes of all header lines together: 1xx answers and trailers count too, so that none of them can go on for ever.
    static let headerLimit = 64 * 1024
    /// After so many reads in a row of which nothing was header or body, the kernel is asked how much came: what goes on like that is
    /// overhead alone, such as a chunk's extension, and libcurl counts none of it.
    private static let barrenReadsMax = 16
    /// What an honest server may put around each piece of body, however small that is: a chunk's length, a frame's head, a TLS record's.
    private static let framingBytes = 32
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
    private var sawEndOfHeaders = false
    /// What the answer at hand says of its body's length.
    private var declaredLength: Int?
    private var barrenReads = 0
    private var fruit = 0
    /// What the kernel had received when it was first asked.
    private var receivedAtFirst: Int?
    /// False in a transfer under way: it has a kept connection.
    private(set) var openedSocket = false
    /// The one that was opened last; -1 where none was.
    private var socket: Int32 = -1
    private var opening: SocketOpening?
    /// The watchdog ended its connection: that kept libcurl reading what is neither header nor body.
    private(set) var isOverrun = false
    /// Why a callback ended the transfer.
    private(set) var abortedAs: TransferFailure.Code?
    /// What is to be said of it, where the code alone doesn't.
    private(set) var abortWords: String?
    /// An errno of our own making: no socket, no place in the epoll set.
    var localError: Int32 = 0
    let witness: HandshakeWitness?

    let kept: KeptConnections
    let authorities: Authorities
    /// The handshake is given the parsed bundle, instead of libcurl its file.
    var bringsAuthorities: Bool { request.connection == .fresh }

    init(_ submission: Submission, _ kept: KeptConnections, _ authorities: Authorities) {
        (self.kept, self.authorities) = (kept, authorities)
        id = submission.id
        request = submission.request
        continuation = submission.continuation
        report = TransferReport(startedAt: .now, startedAtMilliseconds: 0)
        witness = request.url.scheme == "https" ? HandshakeWitness() : nil
    }

    static func of(_ easy: UnsafeMutableRawPointer) -> Transfer? {
        rf_get_private(easy).map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    /// What is being looked up, or would be first: the target's name, then the proxy's.
    var lookupName: LookupName {
        if let proxy = request.proxy, isChosen { return LookupName(host: proxy.host, family: .any) }
        return LookupName(host: request.url.host, family: request.family)
    }

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
        return status >= 200 || status == 101
    }
}

/// What libcurl's callbacks tell.
extension Transfer {
    /// False ends the transfer.
    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        if headerBytes == 0, let handle, let ssl = witness == nil ? nil : rf_get_ssl(handle.pointer) { witness?.look(at: ssl) }
        headerBytes += line.count
        // libcurl calls an answer complete that was closed in the middle of its headers; only the empty line says that they are.
        if line.first == UInt8(ascii: "\r") || line.first == UInt8(ascii: "\n") {
            sawEndOfHeaders = true
        } else if line.starts(with: "HTTP/".utf8) {
            (sawEndOfHeaders, declaredLength) = (false, nil)
        } else if !agreesOnLength(line) {
            abort(.protocolError, "its Content-Length is no number, or more than one")
        }
        if headerBytes > Self.headerLimit { abort(.protocolError, "more than \(Self.headerLimit) bytes of headers") }
        return abortedAs == nil
    }

    /// RFC 9112 section 6.3: lengths that differ, or are no numbers, make an answer whose end nobody knows. libcurl takes the last of
    /// several, and none for one that is past all numbers.
    private func agreesOnLength(_ line: UnsafeRawBufferPointer) -> Bool {
        let name = "content-length:".utf8
        guard line.count > name.count, zip(line, name).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) else { return true }
        for value in line.dropFirst(name.count).split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let digits = value.trimming { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d || $0 == 0x0a }
            guard digits.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(String(decoding: digits, as: UTF8.self)),
                length == declaredLength ?? length
            else { return false }
            declaredLength = length
        }
        return true
    }

    private func abort(_ code: TransferFailure.Code, _ words: String? = nil) {
        guard abortedAs == nil else { return }
        (abortedAs, abortWords) = (code, words)
    }

    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        report.bodyLength += bytes.count
        kept.watchdog.handsOver(bytes.count + Self.framingBytes)
        let room = request.keepBody - report.body.count
        if report.body.isEmpty, room > bytes.count, let handle {
            // An array that doubles while it grows would need three times the room of a long list.
            let declared = rf_get_offset(handle.pointer, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T)
            if declared > 0 { report.body.reserveCapacity(min(room, Int(declared))) }
        }
        if room > 0 { report.body.append(contentsOf: bytes.prefix(room)) }
        if report.bodyLength > request.maxBody { abort(.bodyTooLarge) }
        return abortedAs == nil
    }

    /// Bytes of body on the wire: a stream can be endless and decode to nothing. libcurl calls this with every read, too.
    func progress(downloaded: Int, uploaded: Int) -> Bool {
        if downloaded > request.maxBody { abort(.bodyTooLarge) }
        let before = fruit
        fruit = downloaded + uploaded + headerBytes + report.bodyLength
        barrenReads = fruit == before ? barrenReads + 1 : 0
        if barrenReads >= Self.barrenReadsMax, isOverheadPastBound() {
            abort(.protocolError, Self.overrunWords)
        }
        return abortedAs == nil
    }

    private func isOverheadPastBound() -> Bool {
        barrenReads = 0
        guard socket >= 0, case let received = Int(rf_received_bytes(socket)), received >= 0 else { return false }
        let first = receivedAtFirst ?? received
        receivedAtFirst = first
        // Twice what a body may have leaves room for the body itself and what TLS and HTTP/2 put around it.
        return (received - first) / 2 > max(request.maxBody, Self.headerLimit)
    }

    /// Of plain HTTP/1.1 libcurl reads no more than a hundred buffers in one call; of HTTP/2, TLS and a proxy's refusal without end.
    var canBeOverrun: Bool { request.httpVersion == .http2 || witness != nil || request.proxy != nil }

    /// Where a connection leads that this transfer opened for others too, or was given.
    var keptPlace: KeptConnections.Place? {
        guard request.connection == .reuse, let address = report.address else { return nil }
        return KeptConnections.Place(host: request.url.host, port: request.url.port, address: address)
    }

    /// After a call in which the watchdog ended connections. One that was kept for reuse is known by no opening of its own, and libcurl
    /// no longer says which it was: there the same place is asked for, since others than the call's may have ended before it.
    func lost(_ disconnected: Set<SocketOpening>, isEnding: Bool) {
        if openedSocket {
            isOverrun = isOverrun || opening.map(disconnected.contains) ?? false
        } else if isEnding, let place = keptPlace {
            isOverrun = disconnected.contains { $0.place == place }
        }
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
        if descriptor.value >= 0 {
            if let keptPlace { kept.opened(descriptor.value, keptPlace) }
            if canBeOverrun { opening = kept.watchdog.opened(descriptor.value, keptPlace) }
        }
        socket = descriptor.value
        return descriptor.value
    }
}

extension Slice<UnsafeRawBufferPointer> {
    fileprivate func trimming(_ isBlank: (UInt8) -> Bool) -> Self {
        var rest = drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return rest
    }
}
