internal import CCurl

/// Why a certificate and a key can't be shown to a server together.
package enum ClientCertificateProblem: Hashable, Sendable { case certificateUnreadable, keyUnreadable, keyOfAnother }

/// Looks whether `key` belongs to the first certificate of `chain`, both PEM, as a handshake would.
package func clientCertificateProblem(chain: String, key: String) -> ClientCertificateProblem? {
    defer { ERR_clear_error() }
    let certificate = reading(chain) { PEM_read_bio_X509($0, nil, noPassword, nil) }
    guard let certificate else { return .certificateUnreadable }
    defer { X509_free(certificate) }
    let privateKey = reading(key) { PEM_read_bio_PrivateKey($0, nil, noPassword, nil) }
    guard let privateKey else { return .keyUnreadable }
    defer { EVP_PKEY_free(privateKey) }
    return X509_check_private_key(certificate, privateKey) == 1 ? nil : .keyOfAnother
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
