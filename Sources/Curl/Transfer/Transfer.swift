internal import CCurl

/// One transfer from its submission to its report. Belongs to the engine's thread.
final class Transfer {
    enum Stage { case waiting, lookingUp, running }

    /// Bytes of all header lines together: 1xx answers and trailers count too, so that none of them can go on for ever.
    static let headerLimit = 64 * 1024

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
    /// False in a transfer under way: it has a kept connection.
    private(set) var openedSocket = false
    /// Why a callback ended the transfer.
    private(set) var abortedAs: TransferFailure.Code?
    /// An errno of our own making: no socket, no place in the epoll set.
    var localError: Int32 = 0
    let witness: HandshakeWitness?

    let kept: KeptConnections

    init(_ submission: Submission, _ kept: KeptConnections) {
        self.kept = kept
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
            sawEndOfHeaders = false
        }
        if headerBytes > Self.headerLimit { abortedAs = .protocolError }
        return abortedAs == nil
    }

    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        report.bodyLength += bytes.count
        let room = request.keepBody - report.body.count
        if report.body.isEmpty, room > bytes.count, let handle {
            // An array that doubles while it grows would need three times the room of a long list.
            let declared = rf_get_offset(handle.pointer, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T)
            if declared > 0 { report.body.reserveCapacity(min(room, Int(declared))) }
        }
        if room > 0 { report.body.append(contentsOf: bytes.prefix(room)) }
        if report.bodyLength > request.maxBody { abortedAs = .bodyTooLarge }
        return abortedAs == nil
    }

    /// Bytes of body on the wire: a stream can be endless and decode to nothing.
    func progress(downloaded: Int) -> Bool {
        if downloaded > request.maxBody { abortedAs = .bodyTooLarge }
        return abortedAs == nil
    }

    /// A socket for the connection, or -1. The egress rule is asked once more, at the last place before the network.
    func openSocket(_ target: UnsafeMutablePointer<curl_sockaddr>) -> Int32 {
        openedSocket = true
        let address = withUnsafePointer(to: &target.pointee.addr) { SocketAddress($0) }
        // The proxy is the configuration's choice and not a target's.
        if let allows = request.allows, request.proxy == nil || address != proxyAddress, !(address.map(allows) ?? false) {
            abortedAs = .addressDenied
            return -1
        }
        let descriptor = newSocket(target.pointee.family, target.pointee.socktype, target.pointee.protocol)
        if descriptor.error != 0 { localError = descriptor.error }
        if descriptor.value >= 0, request.connection == .reuse, let target = report.address {
            kept.opened(descriptor.value, KeptConnections.Place(host: request.url.host, address: target))
        }
        return descriptor.value
    }
}
