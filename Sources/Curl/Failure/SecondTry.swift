internal import CCurl

/// When a request is sent once more, on a new connection: what ended it says something of the connection and nothing of the server.
struct SecondTry {
    /// RFC 9110 section 9.2.2: a client may repeat these by itself when it has lost the connection before the answer.
    private static let repeatableMethods: Set<String> = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]

    var method = "GET"
    var isSecond = false
    /// Nothing is left of the time for both.
    var isLate = false
    var isOnKeptConnection = false
    var result = CURLE_OK
    /// nil: there was a complete answer.
    var failure: TransferFailure.Code?
    var abortReason: AbortReason?
    /// Of the answer.
    var headerBytes = 0
    var status = -1

    var isDeserved: Bool {
        guard !isSecond, !isLate, Self.repeatableMethods.contains(method) else { return false }
        if abortReason == .unaskedAnswer { return true }
        // RFC 9110 section 15.5.9: a server says so on a connection that was idle for long, and means nothing that came after.
        guard let failure else { return isOnKeptConnection && status == 408 }
        guard headerBytes == 0, abortReason == nil else { return false }
        switch failure {
        // A kept connection was closed while nobody looked, or holds what is no answer.
        case .connectReset, .connectionClosed: return isOnKeptConnection
        // RFC 9113 sections 6.8 and 8.7: after GOAWAY or REFUSED_STREAM the server has not looked at the request, and a new connection is
        // what it asks for, also where this one is new.
        case .protocolError: return isOnKeptConnection || result == CURLE_HTTP2
        default: return false
        }
    }
}

extension SecondTry {
    init(_ transfer: Transfer, _ result: CURLcode, _ failure: TransferFailure?, now: UInt64) {
        method = transfer.request.method
        isSecond = transfer.times.isSecondTry
        isLate = transfer.times.deadline <= now
        isOnKeptConnection = !transfer.openedSocket
        self.result = result
        self.failure = failure?.code
        abortReason = transfer.abortReason
        headerBytes = transfer.head.byteCount
        status = transfer.status
    }
}
