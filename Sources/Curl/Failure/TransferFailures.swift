internal import CCurl
internal import CReceive

/// From a failing transfer to what is read of it, and said.
extension FailureReading {
    /// Before the handle leaves the multi handle.
    init(_ transfer: Transfer, _ result: CURLcode, _ handle: EasyHandle) {
        let request = transfer.request
        self.result = result
        words = LibcurlWords(text: String(cString: handle.errorBuffer))
        abortReason = transfer.abortReason
        // The reset of a flooded connection is our own.
        systemError = abortReason == .flood ? 0 : max(0, Int32(clamping: rf_get_long(handle.pointer, CURLINFO_OS_ERRNO)))
        hasAnswer = transfer.hasAnswer
        headerBytes = transfer.head.byteCount
        connection = Connection(transfer, handle.pointer)
        if result == CURLE_OPERATION_TIMEDOUT { connection = connection.by(transfer) }
        isIPv6 = (request.proxy == nil ? transfer.report.address : transfer.proxyAddress)?.isIPv4 == false
        // A kept connection is through already.
        isBeforeTarget =
            request.proxy != nil && transfer.openedSocket
            && !(200..<300).contains(rf_get_long(handle.pointer, CURLINFO_HTTP_CONNECTCODE))
        isPlainHTTP2 = request.httpVersion == .http2 && request.url.scheme == "http"
        tls = transfer.handshake?.reading
        tls?.isCertificateShown = request.clientCertificate != nil
        tls?.mayHaveEndedIt = transfer.openedSocket && headerBytes == 0 && abortReason != .flood
    }

    /// nil for a complete answer.
    var failure: TransferFailure? {
        guard let code else { return nil }
        let error = abortReason?.systemError ?? systemError
        let failure = TransferFailure(code, detail: detail(of: code), systemError: error == 0 ? nil : error)
        return tls?.explained(failure, words) ?? failure
    }

    /// As in ``TransferReport/failedInBodyAlone``. A line that is no header, or one past its bound, makes all of the answer doubtful.
    var isOfBodyAlone: Bool {
        switch abortReason {
        case .bodyTooLarge: return true
        case .head: return headerBytes <= AnswerHead.byteLimit
        case .unaskedAnswer: return false
        case .flood, .systemCall, .addressDenied, .caFileUnreadable, nil: break
        }
        let ofBody = [
            CURLE_RECV_ERROR, CURLE_PARTIAL_FILE, CURLE_BAD_CONTENT_ENCODING, CURLE_WRITE_ERROR, CURLE_HTTP2, CURLE_HTTP2_STREAM,
        ]
        return code == .protocolError && hasAnswer && ofBody.contains(result)
    }

    private func detail(of code: TransferFailure.Code) -> String {
        if let abortReason { return abortReason.words }
        if let words = tls?.verifyWords, [.certificateExpired, .certificateNotYetValid, .certificateUntrusted].contains(code) {
            return words
        }
        switch result {
        case CURLE_GOT_NOTHING where code == .protocolError: return "what it sent is not HTTP/2"
        case CURLE_OK where code == .protocolError: return "the headers ended early"
        case CURLE_OUT_OF_MEMORY where code == .protocolError: return "a header line is longer than libcurl takes"
        case CURLE_BAD_FUNCTION_ARGUMENT where code == .protocolError: return "a line of its headers or trailers is no header"
        default: return words.isEmpty ? curl_easy_strerror(result).map { String(cString: $0) } ?? "" : words.text
        }
    }
}

extension FailureReading.Connection {
    /// How far the connection had come by the deadline: a step that came later is not what took the time.
    func by(_ transfer: Transfer) -> Self {
        guard self != .none, transfer.openedSocket, let timeline = transfer.handle?.timeline.pointee else { return self }
        let deadline = transfer.times.deadline
        if timeline.connected > Int64(deadline) { return .connecting }
        return self == .standing && transfer.handshake != nil && transfer.times.requestAt > deadline ? .handshaking : self
    }

    init(_ transfer: Transfer, _ easy: UnsafeMutableRawPointer) {
        let hasHeaders = transfer.head.byteCount > 0
        // A kept connection has its address before anything is sent over it.
        guard transfer.openedSocket else {
            self = hasHeaders || rf_get_long(easy, CURLINFO_PRIMARY_PORT) > 0 ? .standing : .none
            return
        }
        let isHandshakeBegun = transfer.handshake?.beganAt ?? 0 > 0
        let isMarked = !transfer.isRepeated
        let isConnected = isMarked ? rf_get_offset(easy, CURLINFO_CONNECT_TIME_T) > 0 : transfer.hasConnected
        let isSecured = isMarked ? rf_get_offset(easy, CURLINFO_APPCONNECT_TIME_T) > 0 : transfer.times.requestAt > 0
        if !isHandshakeBegun, !hasHeaders, !isConnected {
            self = .connecting
        } else if transfer.handshake == nil || isSecured {
            self = .standing
        } else {
            self = isHandshakeBegun ? .handshaking : .preparingHandshake
        }
    }
}

extension Transfer {
    /// nil for a complete answer. Before the handle leaves the multi handle.
    func failure(_ result: CURLcode) -> TransferFailure? {
        guard let handle else { return .libcurl(.localFault, result) }
        if result == CURLE_OK, hasAnswer { return nil }
        let reading = FailureReading(self, result, handle)
        report.failedInBodyAlone = reading.isOfBodyAlone
        return reading.failure
    }
}
