internal import CCurl

/// libcurl's words for a failure, and what is known from them alone. Everything that is read from them stands here.
///
/// A code that the words quote is read as a code. Where libcurl has no code, a phrase is looked for, and the phrases are the whole table: each
/// has a test that brings it about with the library itself. The words can hold a peer's bytes, so none may make a failure our own trouble.
struct LibcurlWords: Hashable {
    enum Phrase: String, CaseIterable {
        /// OpenSSL met the end of the connection in a handshake. libcurl 7.88.1 has CURLE_SSL_CONNECT_ERROR for every handshake that fails,
        /// quotes no error of OpenSSL, for there is none, and keeps no errno.
        case endInHandshake = "SSL_ERROR_SYSCALL"
    }

    /// Raw.
    var text = ""

    var isEmpty: Bool { text.isEmpty }

    func contain(_ phrase: Phrase) -> Bool { text.contains(phrase.rawValue) }

    /// OpenSSL's error, quoted as `error:0A00010B:`. libcurl takes the error out of OpenSSL's queue, so it is nowhere else.
    var openSSLError: OpenSSLError? {
        text.ranges(of: "error:").lazy
            .compactMap { UInt(text[$0.upperBound...].prefix { $0 != ":" }, radix: 16) }
            .first.map { OpenSSLError(packed: $0) }
    }
}

/// How OpenSSL 3 packs an error (err.h): eight bits of library, 23 of reason.
struct OpenSSLError: Hashable {
    let library: Int32
    let reason: Int32

    init(packed: UInt) {
        library = Int32(packed >> 23 & 0xff)
        reason = Int32(packed & 0x7f_ffff)
    }

    /// The peer sent an alert, or something in place of one. Of an alert the reason is its number, past an offset.
    var isAlert: Bool {
        let isNumber = (SSL_AD_REASON_OFFSET..<SSL_AD_REASON_OFFSET + 256).contains(reason)
        return library == ERR_LIB_SSL
            && (isNumber || [SSL_R_INVALID_ALERT, SSL_R_UNKNOWN_ALERT_TYPE, SSL_R_TOO_MANY_WARN_ALERTS].contains(reason))
    }

    /// The connection ended without the message of TLS that ends one. libcurl 7.88.1 hides the end from OpenSSL, and later ones don't.
    var isEndOfConnection: Bool { library == ERR_LIB_SSL && reason == SSL_R_UNEXPECTED_EOF_WHILE_READING }
}
