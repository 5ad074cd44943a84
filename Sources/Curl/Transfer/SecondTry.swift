internal import CCurl

/// When a request is sent once more, on a new connection: what ended it says something of the connection and nothing of the server.
extension Transfer {
    /// RFC 9110 section 9.2.2: a client may repeat these by itself when it has lost the connection before the answer.
    private static let repeatableMethods: Set<String> = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]

    func deservesSecondTry(_ result: CURLcode, _ failure: TransferFailure?, now: UInt64) -> Bool {
        guard triedAt == nil, deadline > now, Self.repeatableMethods.contains(request.method) else { return false }
        if isUnasked { return true }
        guard let failure else { return hasTimedOutWhileIdle }
        guard headerBytes == 0, abortedAs == nil, !isOverrun else { return false }
        switch failure.code {
        // A kept connection was closed while nobody looked, or holds what is no answer.
        case .connectReset, .connectionClosed: return !openedSocket
        // RFC 9113 sections 6.8 and 8.7: after GOAWAY or REFUSED_STREAM the server has not looked at the request, and a new connection is
        // what it asks for, also where this one is new.
        case .protocolError: return !openedSocket || result == CURLE_HTTP2
        default: return false
        }
    }

    /// RFC 9110 section 15.5.9: a server says so on a connection that was idle for long, and means nothing that came after.
    private var hasTimedOutWhileIdle: Bool {
        guard !openedSocket, let handle else { return false }
        return rf_get_long(handle.pointer, CURLINFO_RESPONSE_CODE) == 408
    }
}
