internal import CCurl
internal import Glibc

/// From libcurl's code to what happened. The code alone misleads: what the callbacks saw, the errno and the phase decide with it.
///
/// Whatever a peer can bring about by its bytes is the peer's failure, whatever code libcurl gives it. What happened on this machine is the
/// closed list of ``ownTrouble``, and each entry of it rests on what only this machine can bring about.
struct FailureReading {
    let result: CURLcode
    /// libcurl's own words; they can hold foreign text.
    var words = LibcurlWords()
    /// An errno of libcurl's connect(), send() or recv().
    var systemError: Int32 = 0
    var abortReason: AbortReason?
    var hasAnswer = false
    var headerBytes = 0
    var connection = Connection.none
    /// The socket leads to an IPv6 address.
    var isIPv6 = false
    /// The request goes by a proxy that has not let it through.
    var isBeforeTarget = false
    /// HTTP/2 without TLS.
    var isPlainHTTP2 = false
    /// nil without TLS.
    var tls: TLSReading?

    enum Connection: CaseIterable {
        /// libcurl has asked for no socket, and has taken no kept connection.
        case none
        case connecting
        /// The connection stands, and no byte of a handshake was sent.
        case preparingHandshake
        case handshaking
        case standing
    }

    /// Whose failure it is; nil for a complete answer.
    var code: TransferFailure.Code? {
        if let code = abortReason?.code { return code }
        if let ownTrouble { return ownTrouble }
        if isBeforeTarget, result != CURLE_OK { return .proxyFailed }
        if abortReason == .flood { return isHandshaking ? .tlsFailed : .protocolError }
        return isConnected ? codeOfConnection : codeOfConnecting
    }

    /// The whole list of what happened here and not at the peer.
    private var ownTrouble: TransferFailure.Code? {
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
        case CURLE_PEER_FAILED_VERIFICATION: return Self.certificateCode(tls?.verifyError ?? X509_V_OK)
        case CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ISSUER_ERROR: return .certificateUntrusted
        case CURLE_SSL_CONNECT_ERROR: return connectionLostCode ?? .tlsFailed
        case CURLE_SSL_CIPHER, CURLE_USE_SSL_FAILED, CURLE_SSL_SHUTDOWN_FAILED, CURLE_SSL_CLIENTCERT, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CACERT_BADFILE:
            return .tlsFailed
        // An HTTP/2 connection that was closed before anything was answered on the stream. A stream that the server has sent away ends with
        // the same code, and libcurl has no words for that end.
        case CURLE_PARTIAL_FILE where headerBytes == 0 && !words.isEmpty: return .connectionClosed
        // Of HTTP/2 with prior knowledge this is what libcurl says when it couldn't go on with what it got.
        case CURLE_GOT_NOTHING: return isPlainHTTP2 && systemError == 0 ? .protocolError : .connectionClosed
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR:
            if words.openSSLError?.isAlert == true { return .tlsFailed }
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
        let wasClosed = words.contain(.endInHandshake) || words.openSSLError?.isEndOfConnection == true
        return wasClosed && headerBytes == 0 ? .connectionClosed : nil
    }
}
