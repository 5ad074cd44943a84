internal import CCurl
internal import CHandshake

/// What the TLS handshake of one transfer showed. It hangs on the SSL, which can outlive the transfer in a kept connection.
final class HandshakeObserver {
    private static let certificatesMax: Int32 = 10

    private let known: KnownCertificates
    /// X509_V_OK, or why the chain was refused and how far from the leaf; the first error stays.
    private(set) var verifyError: Int32 = X509_V_OK
    private(set) var verifyDepth: Int32 = 0
    /// The certificate that it was refused for.
    private(set) var refused: CertificateFacts?
    private(set) var certificates: [CertificateFacts] = []
    private var chain: [CertificateFacts] = []
    private var cipher: String?
    /// The server asked for a certificate of ours.
    private(set) var wantsCertificate = false
    /// The alert that came, if it was one that ends a connection: warnings, such as one of a name that isn't known, change nothing.
    private(set) var alert: UInt8?
    private var version: Int32 = 0
    /// Tickets and new keys.
    private(set) var messagesAfterHandshake = 0
    /// When the TCP connection stood, by the monotonic clock; 0 before. libcurl's own mark of it is lost with a failing handshake.
    private(set) var beganAt: UInt64 = 0

    init(_ known: KnownCertificates) { self.known = known }

    /// The TCP connection stands.
    func begin() { beganAt = monotonicNanoseconds() }

    /// Another connection takes the place of the one that was seen.
    func restart() { (beganAt, alert) = (0, nil) }

    /// Has OpenSSL call back for each certificate that it judges and for each message that comes, in the SSL that is made of the context
    /// next: the context may be that of many connections. OpenSSL's verdict stays as it is.
    ///
    /// Refuses renegotiation and Diffie-Hellman over finite fields as well (`rf_prepare_context`). False without memory.
    ///
    /// - Parameter refuses: a chain that isn't trusted ends the handshake.
    func watch(_ context: OpaquePointer, trusting bundle: ParsedBundle, refuses: Bool) -> Bool {
        let index = observerIndex
        guard index >= 0, rf_trust(context, bundle.store, certificateJudged, refuses ? 1 : 0) == 1,
            rf_prepare_context(context, preparationIndex, messageSeen) == 1
        else { return false }
        rf_offer_observer(Unmanaged.passUnretained(self).toOpaque())
        return true
    }

    /// As a handshake that is over left it; for a kept connection, whose handshake belonged to another transfer.
    func observe(_ ssl: OpaquePointer) {
        version = SSL_version(ssl)
        if certificates.isEmpty { certificates = read(rf_peer_certificates(ssl)) }
        chain = read(rf_verified_chain(ssl))
        cipher = rf_cipher_name(ssl).map { String(cString: $0) }
    }

    /// For a transfer that failed.
    var reading: TLSReading {
        TLSReading(verifyError: verifyError, verifyDepth: verifyDepth, alert: alert, isCertificateWanted: wantsCertificate)
    }

    func write(to report: inout TransferReport) {
        (report.tlsVersion, report.tlsCipher) = (tlsVersion, cipher)
        (report.certificates, report.verifiedChain, report.refusedCertificate) = (certificates, chain, refused)
    }

    static func of(_ ssl: OpaquePointer) -> HandshakeObserver? {
        rf_witness_of(ssl, observerIndex).map { Unmanaged.fromOpaque($0).takeUnretainedValue() }
    }

    fileprivate func came(_ content: Int32, _ bytes: UnsafeRawBufferPointer) {
        switch (content, Int32(bytes[0])) {
        case (SSL3_RT_HANDSHAKE, SSL3_MT_NEWSESSION_TICKET), (SSL3_RT_HANDSHAKE, SSL3_MT_KEY_UPDATE): messagesAfterHandshake += 1
        case (SSL3_RT_HANDSHAKE, SSL3_MT_CERTIFICATE_REQUEST): wantsCertificate = true
        case (SSL3_RT_ALERT, SSL3_AL_FATAL) where bytes.count == 2: alert = bytes[1]
        default: break
        }
    }

    fileprivate func judged(_ isAccepted: Bool, _ verification: OpaquePointer, _ ssl: OpaquePointer) {
        version = SSL_version(ssl)
        if certificates.isEmpty { certificates = read(rf_sent_certificates(verification)) }
        guard !isAccepted, verifyError == X509_V_OK else { return }
        verifyError = X509_STORE_CTX_get_error(verification)
        verifyDepth = X509_STORE_CTX_get_error_depth(verification)
        refused = X509_STORE_CTX_get_current_cert(verification).map { known.facts(of: $0) }
        // Times are looked at last: such a chain is whole, and says by when it was to be renewed.
        if [X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID].contains(verifyError) {
            chain = read(rf_chain_of(verification))
        }
    }

    private var tlsVersion: TransferReport.TLSVersion? {
        switch version {
        case TLS1_VERSION: .tls10
        case TLS1_1_VERSION: .tls11
        case TLS1_2_VERSION: .tls12
        case TLS1_3_VERSION: .tls13
        default: nil
        }
    }

    private func read(_ chain: OpaquePointer?) -> [CertificateFacts] {
        (0..<min(rf_certificate_count(chain), Self.certificatesMax)).compactMap { index in
            rf_certificate_at(chain, index).map { known.facts(of: $0) }
        }
    }
}

/// Where in an SSL its observer is kept. The SSL takes the observer while it is made: it is retained from then on until the SSL is freed.
private let observerIndex = rf_witness_index(
    { _, _, data, index, _, _ in
        guard let observer = rf_take_observer(), CRYPTO_set_ex_data(data, index, observer) == 1 else { return }
        _ = Unmanaged<HandshakeObserver>.fromOpaque(observer).retain()
    },
    { _, observer, _, _, _, _ in
        if let observer { Unmanaged<HandshakeObserver>.fromOpaque(observer).release() }
    })

private let preparationIndex = rf_preparation_index()

private func certificateJudged(_ isAccepted: Int32, _ verification: OpaquePointer?) -> Int32 {
    if let verification, let ssl = rf_ssl_of(verification) {
        HandshakeObserver.of(ssl)?.judged(isAccepted == 1, verification, ssl)
    }
    return isAccepted
}

private func messageSeen(
    _ isSent: Int32, _: Int32, _ content: Int32, _ message: UnsafeRawPointer?, _ count: Int, _ ssl: OpaquePointer?,
    _: UnsafeMutableRawPointer?
) {
    guard isSent == 0, content == SSL3_RT_HANDSHAKE || content == SSL3_RT_ALERT, count > 0, let message, let ssl else { return }
    HandshakeObserver.of(ssl)?.came(content, UnsafeRawBufferPointer(start: message, count: count))
}
