internal import CCurl

/// What the TLS handshake of one transfer showed. It hangs on the SSL_CTX, which can outlive the transfer in a kept connection.
final class HandshakeWitness {
    private static let certificatesMax: Int32 = 10

    /// X509_V_OK, or why the chain was refused and how far from the leaf; the first error stays.
    private(set) var verifyError: Int32 = 0
    private(set) var verifyDepth: Int32 = 0
    private(set) var certificates: [CertificateFacts] = []
    private var version: Int32 = 0
    /// Tickets and new keys: each costs OpenSSL far more than its bytes say, so those aren't all that is counted.
    private(set) var messagesAfterHandshake = 0
    private static let messagesAfterHandshakeMax = 32
    /// When the TCP connection stood, by the monotonic clock; 0 before. libcurl's own mark of it is lost with a failing handshake.
    private(set) var beganAt: UInt64 = 0

    /// Has OpenSSL call back for each certificate that it judges. Its verdict stays as it is, and so does libcurl's cached CA store.
    func watch(_ context: OpaquePointer) -> Bool {
        beganAt = monotonicNanoseconds()
        let retained = Unmanaged.passRetained(self)
        if rf_watch_handshake(context, witnessIndex, retained.toOpaque(), certificateJudged, messageSeen) == 1 { return true }
        retained.release()
        return false
    }

    /// As a handshake that is over left it; for a kept connection, whose handshake belonged to another transfer.
    func look(at ssl: OpaquePointer) {
        version = SSL_version(ssl)
        if certificates.isEmpty { read(rf_peer_certificates(ssl)) }
    }

    static func of(_ ssl: OpaquePointer) -> HandshakeWitness? {
        rf_witness_of(ssl, witnessIndex).map { Unmanaged.fromOpaque($0).takeUnretainedValue() }
    }

    /// - Parameter before: what had come before the transfer that asks.
    func hasTooMuchAfterHandshake(since before: Int) -> Bool {
        messagesAfterHandshake - before > Self.messagesAfterHandshakeMax
    }

    fileprivate func cameAfterHandshake() { messagesAfterHandshake += 1 }

    fileprivate func judged(_ isAccepted: Bool, _ verification: OpaquePointer, _ ssl: OpaquePointer) {
        version = SSL_version(ssl)
        if certificates.isEmpty { read(rf_sent_certificates(verification)) }
        if !isAccepted, verifyError == X509_V_OK {
            verifyError = X509_STORE_CTX_get_error(verification)
            verifyDepth = X509_STORE_CTX_get_error_depth(verification)
        }
    }

    /// As blackbox_exporter writes it.
    var tlsVersion: String? {
        switch version {
        case TLS1_VERSION: "TLS 1.0"
        case TLS1_1_VERSION: "TLS 1.1"
        case TLS1_2_VERSION: "TLS 1.2"
        case TLS1_3_VERSION: "TLS 1.3"
        default: nil
        }
    }

    private func read(_ chain: OpaquePointer?) {
        certificates = (0..<min(rf_certificate_count(chain), Self.certificatesMax)).compactMap { index in
            rf_certificate_at(chain, index).map { CertificateFacts(Certificate($0)) }
        }
    }
}

/// Where in an SSL_CTX witnesses are kept.
private let witnessIndex = rf_witness_index { _, witness, _, _, _, _ in
    if let witness { Unmanaged<HandshakeWitness>.fromOpaque(witness).release() }
}

private func certificateJudged(_ isAccepted: Int32, _ verification: OpaquePointer?) -> Int32 {
    if let verification, let ssl = rf_ssl_of(verification) {
        HandshakeWitness.of(ssl)?.judged(isAccepted == 1, verification, ssl)
    }
    return isAccepted
}

private func messageSeen(
    _ isSent: Int32, _: Int32, _ content: Int32, _ message: UnsafeRawPointer?, _ count: Int, _ ssl: OpaquePointer?,
    _: UnsafeMutableRawPointer?
) {
    guard isSent == 0, content == SSL3_RT_HANDSHAKE, count > 0, let type = message?.load(as: UInt8.self), let ssl else { return }
    if type == SSL3_MT_NEWSESSION_TICKET || type == SSL3_MT_KEY_UPDATE { HandshakeWitness.of(ssl)?.cameAfterHandshake() }
}
