internal import CCurl

/// Why a certificate and a key can't be shown to a server together.
package enum ClientCertificateProblem: Hashable, Sendable {
    case certificateUnreadable, keyUnreadable, keyOfAnother
    /// OpenSSL would not take the pair into a handshake, for what it says in a few words, such as "ee key too small".
    case refused(String)
}

/// Looks whether `key` belongs to the first certificate of `chain`, both PEM, and whether OpenSSL would show them to a server.
package func clientCertificateProblem(chain: String, key: String) -> ClientCertificateProblem? {
    defer { ERR_clear_error() }
    let certificate = reading(chain) { PEM_read_bio_X509($0, nil, noPassword, nil) }
    guard let certificate else { return .certificateUnreadable }
    defer { X509_free(certificate) }
    let privateKey = reading(key) { PEM_read_bio_PrivateKey($0, nil, noPassword, nil) }
    guard let privateKey else { return .keyUnreadable }
    defer { EVP_PKEY_free(privateKey) }
    guard X509_check_private_key(certificate, privateKey) == 1 else { return .keyOfAnother }
    return refusal(certificate, privateKey)
}

/// What is too weak depends on how OpenSSL is set up on this machine, so it is asked and nothing is measured here.
private func refusal(_ certificate: OpaquePointer, _ key: OpaquePointer) -> ClientCertificateProblem? {
    ERR_clear_error()
    let context = SSL_CTX_new(TLS_client_method())
    defer { SSL_CTX_free(context) }
    if let context, SSL_CTX_use_certificate(context, certificate) == 1, SSL_CTX_use_PrivateKey(context, key) == 1 { return nil }
    return .refused(ERR_reason_error_string(ERR_peek_last_error()).map { String(cString: $0) } ?? "it doesn't say why")
}

private func reading(_ text: String, _ read: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
    var text = text
    return text.withUTF8 { bytes in
        guard let memory = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return nil }
        defer { BIO_free(memory) }
        return read(memory)
    }
}

/// Left to itself OpenSSL would ask on the terminal.
private func noPassword(
    _: UnsafeMutablePointer<CChar>?, _ size: Int32, _ isForWriting: Int32, _: UnsafeMutableRawPointer?
) -> Int32 { -1 }
