/// How much a server may have read of it that is neither header nor body.
///
/// libcurl reads whatever comes: empty frames of HTTP/2, the extension of a chunk, tickets of TLS. A server could send such for ever.
struct ReceiveBudget {
    /// Of what is read, one byte in so many must be header or body, past the bytes that a handshake or a proxy may take: an honest server
    /// puts a chunk's length, a frame's head and a TLS record's around pieces of one byte even.
    static let bytesPerUsefulByte = 64
    static let uselessBytesMax = 256 << 10
    /// Tickets and new keys each cost OpenSSL far more than their bytes say, so their bytes aren't all that is counted.
    static let messagesMax = 32

    private var usefulBytes = 0
    private var uselessBytes = 0
    /// Of a kept connection: those that came after its handshake and before this transfer.
    private var messagesBefore: Int?

    /// Answers whether the server may go on.
    ///
    /// - Parameters:
    ///   - bytes: read since the last call.
    ///   - useful: bytes of header and body in the whole transfer so far.
    mutating func spend(bytes: Int, useful: Int) -> Bool {
        let more = useful - usefulBytes
        usefulBytes = useful
        uselessBytes = max(0, uselessBytes + bytes - more * Self.bytesPerUsefulByte)
        return uselessBytes <= Self.uselessBytesMax
    }

    /// Answers whether the server may go on.
    ///
    /// - Parameters:
    ///   - messages: of the connection after its handshake, so far.
    ///   - isKept: the handshake was another transfer's.
    mutating func spend(messages: Int, isKept: Bool) -> Bool {
        let before = isKept ? messagesBefore ?? messages : 0
        messagesBefore = before
        return messages - before <= Self.messagesMax
    }
}
