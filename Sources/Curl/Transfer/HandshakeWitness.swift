internal import CCurl

/// What the TLS handshake of one transfer showed. It hangs on the SSL_CTX, which can outlive the transfer in a kept connection.
final class HandshakeWitness {
    private static let certificateLimit: Int32 = 10
    private static let nameLimit = 512
    private static let alternativeNameLimit: Int32 = 32

    /// X509_V_OK, or why the chain was refused and how far from the leaf; the first error stays.
    private(set) var verifyError: Int32 = 0
    private(set) var verifyDepth: Int32 = 0
    private(set) var certificates: [CertificateFacts] = []
    private var version: Int32 = 0
    /// Tickets and new keys: each costs OpenSSL far more than its bytes say, so those aren't all that is counted.
    private var messagesAfterHandshake = 0
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

    var hasTooMuchAfterHandshake: Bool { messagesAfterHandshake > Self.messagesAfterHandshakeMax }

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
        for index in 0..<min(rf_certificate_count(chain), Self.certificateLimit) {
            guard let certificate = rf_certificate_at(chain, index) else { return }
            certificates.append(
                CertificateFacts(
                    subject: Self.text(X509_get_subject_name(certificate)),
                    issuer: Self.text(X509_get_issuer_name(certificate)),
                    names: index == 0 ? Self.names(certificate) : [],
                    notBeforeSeconds: Self.seconds(X509_get0_notBefore(certificate)),
                    notAfterSeconds: Self.seconds(X509_get0_notAfter(certificate))))
        }
    }

    private static func text(_ name: OpaquePointer?) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: nameLimit) { space in
            let count = Int(rf_name_text(name, space.baseAddress, Int32(space.count)))
            return String(decoding: UnsafeRawBufferPointer(space).prefix(count), as: UTF8.self)
        }
    }

    private static func names(_ certificate: OpaquePointer) -> [String] {
        guard let names = rf_alternative_names(certificate) else { return [] }
        defer { GENERAL_NAMES_free(names) }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: nameLimit) { space in
            (0..<min(rf_alternative_name_count(names), alternativeNameLimit)).compactMap { index in
                let count = Int(rf_alternative_name(names, index, space.baseAddress, Int32(space.count)))
                return count > 0 ? String(decoding: UnsafeRawBufferPointer(space).prefix(count), as: UTF8.self) : nil
            }
        }
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        let seconds = rf_seconds(time)
        return seconds == .min ? nil : seconds
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
