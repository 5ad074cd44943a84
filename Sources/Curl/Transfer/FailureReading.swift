internal import CCurl
internal import Glibc

/// From libcurl's code to what happened. The code alone misleads: what the callbacks saw, the errno and the phase decide with it.
///
/// Whatever a peer can bring about by its bytes is the peer's failure, whatever code libcurl gives it. What happened on this machine is the
/// closed list of ``ownTrouble``, and each entry of it rests on what only this machine can bring about.
struct FailureReading {
    let result: CURLcode
    /// libcurl's own words; they can hold foreign text.
    var words = ""
    /// An errno of our own calls: no socket, no place in the epoll set, no memory for a handshake.
    var localError: Int32 = 0
    /// An errno of libcurl's connect(), send() or recv().
    var systemError: Int32 = 0
    /// Why a callback ended the transfer.
    var abortedAs: TransferFailure.Code?
    var isOverrun = false
    var hasAnswer = false
    var headerBytes = 0
    var connection = Connection.none
    /// The socket leads to an IPv6 address.
    var isIPv6 = false
    /// The request goes by a proxy that has not let it through.
    var isBeforeTarget = false
    /// HTTP/2 without TLS.
    var isPlainHTTP2 = false
    /// What OpenSSL said of the chain.
    var verifyError: Int32 = 0

    enum Connection: CaseIterable {
        /// libcurl has asked for no socket, and has taken no kept connection.
        case none
        case connecting
        /// The connection stands, and no byte of a handshake was sent.
        case preparingHandshake
        case handshaking
        case standing
    }

    /// nil for a complete answer.
    var code: TransferFailure.Code? {
        if let abortedAs { return abortedAs }
        if let ownTrouble { return ownTrouble }
        if isBeforeTarget, result != CURLE_OK { return .proxyFailed }
        if isOverrun { return isHandshaking ? .tlsFailed : .protocolError }
        // An HTTP/2 connection that was closed before anything was answered on the stream.
        if headerBytes == 0, words.contains("before end of the underlying stream") { return .connectionClosed }
        return isConnected ? codeOfConnection : codeOfConnecting
    }

    /// The whole list of what happened here and not at the peer.
    private var ownTrouble: TransferFailure.Code? {
        if localError != 0 { return .localFault }
        switch connection {
        // No byte of a peer has come to libcurl yet: what fails are its own preparations.
        case .none: return Self.setupFailures.contains(result) ? .localFault : nil
        // The client's certificate and key are read before the first byte of a handshake, and libcurl may not have marked by then that the
        // connection stands.
        case .connecting where result == CURLE_SSL_CERTPROBLEM, .preparingHandshake where result == CURLE_SSL_CERTPROBLEM:
            return .clientCertificateUnusable
        case .connecting: return result == CURLE_COULDNT_CONNECT && isOwnConnectError ? .localFault : nil
        case .preparingHandshake, .handshaking, .standing: return Self.ownErrors.contains(systemError) ? .localFault : nil
        }
    }

    private static let setupFailures: Set<CURLcode> = [
        CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT, CURLE_BAD_FUNCTION_ARGUMENT, CURLE_NOT_BUILT_IN, CURLE_UNKNOWN_OPTION,
    ]

    /// Out of descriptors or memory: nothing that comes from outside makes a call answer so.
    private static let ownErrors: Set<Int32> = [EMFILE, ENFILE, ENOMEM, ENOBUFS]

    /// connect(2): out of ports too, or this machine's own firewall. Over IPv6 a router's word that it is forbidden (RFC 4443 section 3.1)
    /// comes as EACCES, and that is none of this machine's.
    private var isOwnConnectError: Bool {
        Self.ownErrors.contains(systemError) || [EADDRNOTAVAIL, EADDRINUSE, EAGAIN, EPERM, ENOSPC].contains(systemError)
            || systemError == EACCES && !isIPv6
    }

    private var isConnected: Bool { connection != .none && connection != .connecting }
    private var isHandshaking: Bool { connection == .preparingHandshake || connection == .handshaking }

    private var codeOfConnecting: TransferFailure.Code {
        switch result {
        case CURLE_OK: .connectionClosed
        case CURLE_URL_MALFORMAT: .urlMalformed
        case CURLE_UNSUPPORTED_PROTOCOL: .unsupportedScheme
        case CURLE_COULDNT_RESOLVE_HOST: .lookupFailed
        case CURLE_OPERATION_TIMEDOUT: .connectTimedOut
        default:
            switch systemError {
            case ECONNREFUSED: .connectRefused
            case ETIMEDOUT: .connectTimedOut
            case ECONNRESET, ECONNABORTED, EPIPE: .connectReset
            default: result == CURLE_COULDNT_CONNECT ? .networkUnreachable : .protocolError
            }
        }
    }

    private var codeOfConnection: TransferFailure.Code? {
        switch result {
        case CURLE_OK: return hasAnswer ? nil : headerBytes > 0 ? .protocolError : .connectionClosed
        case CURLE_OPERATION_TIMEDOUT: return isHandshaking ? .tlsTimedOut : .timedOut
        case CURLE_PEER_FAILED_VERIFICATION: return Self.certificateCode(verifyError)
        case CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ISSUER_ERROR: return .certificateUntrusted
        case CURLE_SSL_CONNECT_ERROR: return connectionLostCode ?? .tlsFailed
        case CURLE_SSL_CIPHER, CURLE_USE_SSL_FAILED, CURLE_SSL_SHUTDOWN_FAILED, CURLE_SSL_CLIENTCERT, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CACERT_BADFILE:
            return .tlsFailed
        // Of HTTP/2 with prior knowledge this is what libcurl says when it couldn't go on with what it got. A close has words of its own.
        case CURLE_GOT_NOTHING: return isPlainHTTP2 && words.contains("Empty reply") ? .protocolError : .connectionClosed
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR:
            if words.contains("alert"), words.contains("SSL") { return .tlsFailed }
            return connectionLostCode ?? .protocolError
        // A header line past libcurl's bound is CURLE_OUT_OF_MEMORY, HTTP/0.9 CURLE_UNSUPPORTED_PROTOCOL, a line that is no field
        // CURLE_BAD_FUNCTION_ARGUMENT, a tail behind what was compressed CURLE_WRITE_ERROR.
        default:
            if systemError == ECONNRESET || systemError == EPIPE { return .connectReset }
            return isHandshaking ? .tlsFailed : .protocolError
        }
    }

    /// By OpenSSL's verdict on the chain.
    static func certificateCode(_ verifyError: Int32) -> TransferFailure.Code {
        switch verifyError {
        // The chain is good; what libcurl then refused was the name.
        case X509_V_OK, X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .certificateNameMismatch
        case X509_V_ERR_CERT_HAS_EXPIRED: .certificateExpired
        case X509_V_ERR_CERT_NOT_YET_VALID: .certificateNotYetValid
        default: .certificateUntrusted
        }
    }

    /// Reset, or closed before anything was answered; nil when it was neither.
    private var connectionLostCode: TransferFailure.Code? {
        if systemError == ECONNRESET || systemError == EPIPE { return .connectReset }
        if systemError == ETIMEDOUT { return .timedOut }
        // nghttp2 says of a flood that the session "must be closed".
        if words.contains("nghttp2_") { return nil }
        let wasClosed = words.contains("unexpected eof") || words.contains("SSL_ERROR_SYSCALL") || words.contains("closed")
        return wasClosed && headerBytes == 0 ? .connectionClosed : nil
    }
}

extension Transfer {
    /// nil for a complete answer. Before the handle leaves the multi handle.
    func failure(_ result: CURLcode) -> TransferFailure? {
        guard let handle else { return .libcurl(.localFault, result) }
        if result == CURLE_OK, hasAnswer { return nil }
        let reading = reading(result, handle)
        guard let code = reading.code else { return nil }
        report.failedInBodyAlone = isOfBodyAlone(code, result)
        let known = reading.words.isEmpty ? curl_easy_strerror(result).map { String(cString: $0) } ?? "" : reading.words
        let error = reading.localError != 0 ? reading.localError : reading.systemError
        let failure = TransferFailure(code, detail: ownWords(code, result) ?? known, systemError: error == 0 ? nil : error)
        return explained(failure, reading.words)
    }

    /// A line that is no header, or one past its bound, makes all of the answer doubtful.
    private func isOfBodyAlone(_ code: TransferFailure.Code, _ result: CURLcode) -> Bool {
        if code == .bodyTooLarge { return true }
        guard code == .protocolError else { return false }
        if abortedAs == code { return headerBytes <= Self.headerLimit && !isUnasked }
        let ofBody = [
            CURLE_RECV_ERROR, CURLE_PARTIAL_FILE, CURLE_BAD_CONTENT_ENCODING, CURLE_WRITE_ERROR, CURLE_HTTP2, CURLE_HTTP2_STREAM,
        ]
        return hasAnswer && ofBody.contains(result)
    }

    private func reading(_ result: CURLcode, _ handle: EasyHandle) -> FailureReading {
        var reading = FailureReading(result: result)
        reading.words = String(cString: handle.errorBuffer)
        reading.localError = localError
        // The reset of an overrun connection is our own.
        reading.systemError = isOverrun ? 0 : systemError(handle.pointer, reading.words)
        reading.abortedAs = abortedAs
        reading.isOverrun = isOverrun
        reading.hasAnswer = hasAnswer
        reading.headerBytes = headerBytes
        reading.connection = connection(handle.pointer)
        reading.isIPv6 = (request.proxy == nil ? report.address : proxyAddress)?.isIPv4 == false
        // A kept connection is through already.
        reading.isBeforeTarget =
            request.proxy != nil && openedSocket
            && !(200..<300).contains(rf_get_long(handle.pointer, CURLINFO_HTTP_CONNECTCODE))
        reading.isPlainHTTP2 = request.httpVersion == .http2 && request.url.scheme == "http"
        reading.verifyError = witness?.verifyError ?? 0
        return reading
    }

    private func connection(_ easy: UnsafeMutableRawPointer) -> FailureReading.Connection {
        // A kept connection has its address before anything is sent over it.
        guard openedSocket else {
            return headerBytes > 0 || rf_get_long(easy, CURLINFO_PRIMARY_PORT) > 0 ? .standing : .none
        }
        let isHandshakeBegun = witness?.beganAt ?? 0 > 0
        guard isHandshakeBegun || headerBytes > 0 || rf_get_offset(easy, CURLINFO_CONNECT_TIME_T) > 0 else { return .connecting }
        guard witness != nil, rf_get_offset(easy, CURLINFO_APPCONNECT_TIME_T) <= 0 else { return .standing }
        return isHandshakeBegun ? .handshaking : .preparingHandshake
    }

    /// libcurl's errno, or what its words name, for in TLS it keeps none.
    private func systemError(_ easy: UnsafeMutableRawPointer, _ words: String) -> Int32 {
        let error = Int32(clamping: rf_get_long(easy, CURLINFO_OS_ERRNO))
        if error > 0 { return error }
        return [ECONNRESET, EPIPE].first { words.contains(systemErrorText($0)) } ?? 0
    }

    private func ownWords(_ code: TransferFailure.Code, _ result: CURLcode) -> String? {
        switch code {
        case .certificateExpired, .certificateNotYetValid, .certificateUntrusted:
            guard let witness, witness.verifyError != X509_V_OK else { return nil }
            return X509_verify_cert_error_string(Int(witness.verifyError)).map { String(cString: $0) } ?? ""
        case _ where isOverrun: return Self.overrunWords
        case .bodyTooLarge: return TransferFailure.bodyTooLarge(request).detail
        case .protocolError where abortedAs == .protocolError: return abortWords
        case .protocolError where result == CURLE_GOT_NOTHING: return "what it sent is not HTTP/2"
        case .protocolError where result == CURLE_OK: return "the headers ended early"
        case .protocolError where result == CURLE_OUT_OF_MEMORY: return "a header line is longer than libcurl takes"
        case .protocolError where result == CURLE_BAD_FUNCTION_ARGUMENT: return "a line of its headers or trailers is no header"
        case .caFileUnreadable: return "error setting certificate file: \(bundlePath)"
        case .localFault where localError != 0: return systemErrorText(localError)
        case .addressDenied: return ""
        default: return nil
        }
    }
}
