internal import CCurl
internal import Glibc

/// From libcurl's code to what happened. The code alone misleads: what the callbacks saw, the errno and the phase decide with it.
extension Transfer {
    /// nil for a complete answer. Before the handle leaves the multi handle.
    func failure(_ result: CURLcode) -> TransferFailure? {
        guard let handle else { return .libcurl(.localFault, result) }
        if result == CURLE_OK, hasAnswer { return nil }
        let words = String(cString: handle.errorBuffer)
        // The reset of an overrun connection is our own.
        let error = isOverrun ? 0 : systemError(handle.pointer, words)
        let code = code(result, error, words)
        guard let code else { return nil }
        let known = words.isEmpty ? curl_easy_strerror(result).map { String(cString: $0) } ?? "" : words
        return explained(
            TransferFailure(code, detail: ownWords(code, result) ?? known, systemError: error == 0 ? nil : error), words)
    }

    private func ownWords(_ code: TransferFailure.Code, _ result: CURLcode) -> String? {
        switch code {
        case .certificateExpired, .certificateNotYetValid, .certificateUntrusted:
            guard let witness, witness.verifyError != X509_V_OK else { return nil }
            return X509_verify_cert_error_string(Int(witness.verifyError)).map { String(cString: $0) } ?? ""
        case _ where isOverrun: return Self.overrunWords
        case .bodyTooLarge: return "more than \(request.maxBody) bytes"
        case .protocolError where abortedAs == .protocolError: return abortWords
        case .protocolError where result == CURLE_GOT_NOTHING: return "what it sent is not HTTP/2"
        case .protocolError where result == CURLE_OK: return "the headers ended early"
        case .protocolError where result == CURLE_OUT_OF_MEMORY: return "a header line is longer than libcurl takes"
        case .caFileUnreadable: return "error setting certificate file: \(bundlePath)"
        case .addressDenied: return ""
        default: return nil
        }
    }

    /// The errno of the failure: our own first, then libcurl's, then what its words name, for in TLS it keeps none.
    private func systemError(_ easy: UnsafeMutableRawPointer, _ words: String) -> Int32 {
        if localError != 0 { return localError }
        let error = Int32(clamping: rf_get_long(easy, CURLINFO_OS_ERRNO))
        if error > 0 { return error }
        return [ECONNRESET, EPIPE].first { words.contains(systemErrorText($0)) } ?? 0
    }

    private func code(_ result: CURLcode, _ error: Int32, _ words: String) -> TransferFailure.Code? {
        if let abortedAs { return abortedAs }
        if request.proxy != nil, !isThroughProxy, let code = proxyCode(result, error) { return code }
        if isOverrun { return isHandshaking ? .tlsFailed : .protocolError }
        // An HTTP/2 connection that was closed before anything was answered on the stream.
        if headerBytes == 0, words.contains("before end of the underlying stream") { return .connectionClosed }
        switch result {
        case CURLE_OK: return hasAnswer ? nil : headerBytes > 0 ? .protocolError : .connectionClosed
        case CURLE_URL_MALFORMAT: return .urlMalformed
        case CURLE_COULDNT_RESOLVE_HOST: return .lookupFailed
        case CURLE_COULDNT_CONNECT: return connectCode(error)
        case CURLE_OPERATION_TIMEDOUT: return localError != 0 ? .localFault : timeoutCode()
        case CURLE_SSL_CACERT_BADFILE: return .caFileUnreadable
        case CURLE_PEER_FAILED_VERIFICATION: return certificateCode()
        case CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ISSUER_ERROR: return .certificateUntrusted
        case CURLE_SSL_CONNECT_ERROR: return connectionLostCode(error, words) ?? .tlsFailed
        case CURLE_SSL_CERTPROBLEM: return .clientCertificateUnusable
        case CURLE_SSL_CIPHER, CURLE_SSL_CLIENTCERT, CURLE_USE_SSL_FAILED, CURLE_SSL_SHUTDOWN_FAILED: return .tlsFailed
        // Of HTTP/2 with prior knowledge this is what libcurl says when it couldn't go on with what it got. A close has words of its own.
        case CURLE_GOT_NOTHING:
            let isHTTP2 = request.httpVersion == .http2 && request.url.scheme == "http" && words.contains("Empty reply")
            return isHTTP2 ? .protocolError : .connectionClosed
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR:
            if words.contains("alert"), words.contains("SSL") { return .tlsFailed }
            return connectionLostCode(error, words) ?? .protocolError
        // A header line past libcurl's own bound comes back as this; without a connection it is what it says.
        case CURLE_OUT_OF_MEMORY: return isConnected ? .protocolError : .localFault
        // HTTP/0.9 comes back as this; the scheme was looked at before.
        case CURLE_UNSUPPORTED_PROTOCOL: return isConnected ? .protocolError : .unsupportedScheme
        case CURLE_FAILED_INIT, CURLE_BAD_FUNCTION_ARGUMENT, CURLE_NOT_BUILT_IN, CURLE_UNKNOWN_OPTION, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_ABORTED_BY_CALLBACK:
            return .localFault
        default: return error == ECONNRESET || error == EPIPE ? .connectReset : .protocolError
        }
    }

    private var isConnected: Bool {
        guard let easy = handle?.pointer else { return false }
        return witness?.beganAt ?? 0 > 0
            || rf_get_offset(easy, openedSocket ? CURLINFO_CONNECT_TIME_T : CURLINFO_PRETRANSFER_TIME_T) > 0
    }

    /// Whether the proxy has let us through, or a kept connection was through already.
    private var isThroughProxy: Bool {
        guard let easy = handle?.pointer, openedSocket else { return true }
        return (200..<300).contains(rf_get_long(easy, CURLINFO_HTTP_CONNECTCODE))
    }

    /// Before the target is reached all but our own trouble is the proxy's.
    private func proxyCode(_ result: CURLcode, _ error: Int32) -> TransferFailure.Code? {
        if result == CURLE_OK || localError != 0 { return nil }
        if result == CURLE_COULDNT_CONNECT, connectCode(error) == .localFault { return .localFault }
        return .proxyFailed
    }

    private func connectCode(_ error: Int32) -> TransferFailure.Code {
        switch error {
        case ECONNREFUSED: .connectRefused
        case ETIMEDOUT: .connectTimedOut
        case ECONNRESET, ECONNABORTED, EPIPE: .connectReset
        // Out of descriptors, memory or ports; or this machine's own firewall.
        case EMFILE, ENFILE, ENOMEM, ENOBUFS, EADDRNOTAVAIL, EADDRINUSE, EAGAIN, EACCES, EPERM, ENOSPC: .localFault
        default: .networkUnreachable
        }
    }

    private func timeoutCode() -> TransferFailure.Code {
        guard isConnected else { return .connectTimedOut }
        return isHandshaking ? .tlsTimedOut : .timedOut
    }

    private var isHandshaking: Bool {
        guard witness != nil, openedSocket, let handle else { return false }
        return rf_get_offset(handle.pointer, CURLINFO_APPCONNECT_TIME_T) <= 0
    }

    /// By OpenSSL's verdict on the chain.
    func certificateCode() -> TransferFailure.Code {
        switch witness?.verifyError ?? 0 {
        // The chain is good; what libcurl then refused was the name.
        case X509_V_OK, X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .certificateNameMismatch
        case X509_V_ERR_CERT_HAS_EXPIRED: .certificateExpired
        case X509_V_ERR_CERT_NOT_YET_VALID: .certificateNotYetValid
        default: .certificateUntrusted
        }
    }

    /// Reset, or closed before anything was answered; nil when it was neither.
    private func connectionLostCode(_ error: Int32, _ words: String) -> TransferFailure.Code? {
        if error == ECONNRESET || error == EPIPE { return .connectReset }
        if error == ETIMEDOUT { return .timedOut }
        // nghttp2 says of a flood that the session "must be closed".
        if words.contains("nghttp2_") { return nil }
        let wasClosed = words.contains("unexpected eof") || words.contains("SSL_ERROR_SYSCALL") || words.contains("closed")
        return wasClosed && headerBytes == 0 ? .connectionClosed : nil
    }
}
