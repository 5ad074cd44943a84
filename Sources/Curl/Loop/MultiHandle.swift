internal import CCurl
internal import CHandshake
internal import CReceive

/// libcurl's multi handle over epoll. For the engine's thread alone.
///
/// After libcurl's `docs/examples/ephiperfifo.c`, with epoll's own timeout in place of a timer descriptor.
final class MultiHandle {
    /// Of one connection, before others are served.
    private static let bytesPerTurn = 16 << 10

    private let multi: UnsafeMutableRawPointer
    private let sockets: EpollSet
    private let handshakes: SharedHandshakes
    /// Handles that libcurl has and whose connections need an SSL_CTX of their own. Nobody knows for which of its handles libcurl asks for
    /// one: while it has one of these, no connection gets the SSL_CTX of others.
    private var needingOwnContext = 0
    /// When libcurl wants to be called without a socket being ready, by the monotonic clock.
    private(set) var timer: UInt64?

    init(idleConnections: Int, _ handshakes: SharedHandshakes) throws(TransferFailure) {
        self.handshakes = handshakes
        let prepared = Self.prepared
        sockets = try EpollSet()
        guard prepared == CURLE_OK, let multi = curl_multi_init() else { throw .libcurl(.localFault, prepared) }
        self.multi = multi
        rf_multi_set_long(multi, CURLMOPT_MAXCONNECTS, idleConnections)
        // One request at a time on a kept connection: what one probe waits for must not be another's answer. And where several share one,
        // libcurl 7.88.1 fails some whose headers are long, and gives others handles back that can't be used again.
        rf_multi_set_long(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING)
    }

    /// Once a process.
    private static let prepared = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    /// Before the first transfer is added: libcurl says from then on what it wants to wait for.
    func start() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        rf_multi_set_socket_function(multi, socketChanged, context)
        rf_multi_set_timer_function(multi, timerChanged, context)
    }

    /// Nothing can be done with it any more.
    func close() {
        inTurn { curl_multi_cleanup(multi) }
        rf_timelines_end()
    }

    /// A descriptor that is none of libcurl's. Answers an errno, 0 when it is watched.
    func watch(_ descriptor: Int32) -> Int32 { sockets.watch(descriptor, CURL_POLL_IN) }

    /// As ``EpollSet/wait(milliseconds:_:)``.
    func wait(milliseconds: Int32, _ body: (EpollSet.Event) -> Void) -> Int { sockets.wait(milliseconds: milliseconds, body) }

    /// Answers what went wrong.
    func add(_ handle: EasyHandle) -> TransferFailure? {
        let code = curl_multi_add_handle(multi, handle.pointer)
        guard code != CURLM_OK else {
            if handle.needsOwnContext { needingOwnContext += 1 }
            return nil
        }
        return TransferFailure(.localFault, detail: curl_multi_strerror(code).map { String(cString: $0) } ?? "")
    }

    /// A handle that was added.
    func remove(_ handle: EasyHandle) {
        inTurn { curl_multi_remove_handle(multi, handle.pointer) }
        if handle.needsOwnContext { needingOwnContext -= 1 }
    }

    func serve(_ event: EpollSet.Event) { advance(event.descriptor, event.mask) }

    /// As if the transfer's socket were ready for all that libcurl waits for there.
    func serveOnceMore(_ timeline: UnsafePointer<rf_timeline>) {
        let descriptor = timeline.pointee.descriptor
        let readiness = sockets.readiness(of: descriptor)
        if readiness != 0 { advance(descriptor, readiness) }
    }

    /// Answers whether it was time.
    func serveTimer() -> Bool {
        guard let timer, timer <= monotonicNanoseconds() else { return false }
        self.timer = nil
        advance(CURL_SOCKET_TIMEOUT, 0)
        return true
    }

    /// A transfer that libcurl is done with.
    func nextDone() -> (transfer: Transfer, result: CURLcode)? {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            // The message goes with the handle, so what it says is read before the handle is removed.
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle, let transfer = Transfer.of(easy)
            else { continue }
            return (transfer, message.pointee.data.result)
        }
        return nil
    }

    private func advance(_ descriptor: Int32, _ mask: Int32) {
        var running: Int32 = 0
        inTurn { curl_multi_socket_action(multi, descriptor, mask, &running) }
    }

    private func inTurn(_ body: () -> CURLMcode) {
        rf_turn_begins(Self.bytesPerTurn)
        rf_handshakes_begin(handshakes.pointer, needingOwnContext == 0 ? 1 : 0)
        _ = body()
        rf_handshakes_end()
        rf_turn_ends()
    }

    fileprivate func watch(_ easy: UnsafeMutableRawPointer?, _ descriptor: Int32, _ interest: Int32) {
        let error = sockets.watch(descriptor, interest)
        // Answering -1 here would fail every transfer. This one will time out, and then it says whose fault that was.
        if error != 0, let easy { Transfer.of(easy)?.abort(.systemCall(error)) }
    }

    fileprivate func setTimer(milliseconds: Int) {
        timer = milliseconds < 0 ? nil : monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
    }
}

private func socketChanged(
    easy: UnsafeMutableRawPointer?, descriptor: Int32, interest: Int32, context: UnsafeMutableRawPointer?,
    _: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context else { return 0 }
    Unmanaged<MultiHandle>.fromOpaque(context).takeUnretainedValue().watch(easy, descriptor, interest)
    return 0
}

// libcurl may not be called from here; the loop does so when the time has come.
private func timerChanged(_: UnsafeMutableRawPointer?, milliseconds: Int, context: UnsafeMutableRawPointer?) -> Int32 {
    guard let context else { return 0 }
    Unmanaged<MultiHandle>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds: milliseconds)
    return 0
}

/// The bundle of certificates that libcurl was built to use.
package var systemAuthorities: String {
    rf_default_bundle().map { String(cString: $0) } ?? "/etc/ssl/certs/ca-certificates.crt"
}
