import COpenSSL

/// A certificate (RFC 5280) with a new key on P-256, made by OpenSSL.
final class SampleCertificate {
    /// OpenSSL could not make it: memory, or a library that is built without P-256.
    struct Failed: Error, CustomStringConvertible {
        let call: String
        var description: String { "OpenSSL could not make a certificate for the sample targets: \(call) failed" }
    }

    /// What a certificate says of its use, as openssl's x509v3_config(5) writes it.
    struct Extension {
        let number: Int32
        let value: String

        static let isAuthority = Extension(number: NID_basic_constraints, value: "critical,CA:TRUE")
        static let signsCertificates = Extension(number: NID_key_usage, value: "critical,keyCertSign,cRLSign")
        static let isForLoopback = Extension(number: NID_subject_alt_name, value: "DNS:localhost,IP:127.0.0.1")
    }

    private let certificate: OpaquePointer
    private let key: OpaquePointer

    /// - Parameters:
    ///   - name: its common name.
    ///   - validFrom: seconds from now.
    ///   - until: seconds from now.
    ///   - signer: nil signs it with its own key.
    init(name: String, validFrom: Int, until: Int, extensions: [Extension], signedBy signer: SampleCertificate? = nil) throws {
        key = try Self.newKey()
        certificate = try Self.made(X509_new(), "X509_new")
        let issuer = signer?.certificate ?? certificate
        try Self.must(X509_set_version(certificate, Int(X509_VERSION_3)), "X509_set_version")
        // RFC 5280, section 4.1.2.2: a positive number that no other certificate of this issuer has.
        try Self.must(
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), .random(in: 1...UInt64(Int64.max))), "ASN1_INTEGER_set")
        _ = try Self.made(X509_gmtime_adj(X509_getm_notBefore(certificate), validFrom), "X509_gmtime_adj")
        _ = try Self.made(X509_gmtime_adj(X509_getm_notAfter(certificate), until), "X509_gmtime_adj")
        try Self.must(X509_set_pubkey(certificate, key), "X509_set_pubkey")
        let subject = X509_get_subject_name(certificate)
        try Self.must(
            X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, Array(name.utf8), Int32(name.utf8.count), -1, 0),
            "X509_NAME_add_entry_by_txt")
        try Self.must(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)), "X509_set_issuer_name")
        for one in extensions { try add(one, issuer: issuer) }
        try Self.must(X509_sign(certificate, signer?.key ?? key, EVP_sha256()), "X509_sign")
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    func der() throws -> [UInt8] { try Self.bytes("i2d_X509") { i2d_X509(certificate, $0) } }

    func keyDER() throws -> [UInt8] { try Self.bytes("i2d_PrivateKey") { i2d_PrivateKey(key, $0) } }

    /// As RFC 7468 writes it.
    func pem() throws -> String {
        let file = try Self.made(BIO_new(BIO_s_mem()), "BIO_new")
        defer { BIO_free(file) }
        try Self.must(PEM_write_bio_X509(file, certificate), "PEM_write_bio_X509")
        let count = BIO_ctrl_pending(file)
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
            written = max(0, Int(BIO_read(file, buffer.baseAddress, Int32(count))))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func add(_ one: Extension, issuer: OpaquePointer) throws {
        var context = v3_ext_ctx()
        X509V3_set_ctx(&context, issuer, certificate, nil, nil, 0)
        let made = try Self.made(X509V3_EXT_conf_nid(nil, &context, one.number, one.value), "X509V3_EXT_conf_nid")
        defer { X509_EXTENSION_free(made) }
        try Self.must(X509_add_ext(certificate, made, -1), "X509_add_ext")
    }

    private static func newKey() throws -> OpaquePointer {
        let context = try made(EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil), "EVP_PKEY_CTX_new_id")
        defer { EVP_PKEY_CTX_free(context) }
        try must(EVP_PKEY_keygen_init(context), "EVP_PKEY_keygen_init")
        try must(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1), "EVP_PKEY_CTX_set_ec_paramgen_curve_nid")
        var key: OpaquePointer?
        try must(EVP_PKEY_keygen(context, &key), "EVP_PKEY_keygen")
        return try made(key, "EVP_PKEY_keygen")
    }

    /// What an encoder of OpenSSL's writes: it says first how much room it wants, then moves the pointer over what it wrote.
    private static func bytes(
        _ call: String, _ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
    ) throws -> [UInt8] {
        let count = encode(nil)
        guard count > 0 else { throw Failed(call: call) }
        return [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, written in
            var place = buffer.baseAddress
            written = Int(encode(&place))
        }
    }

    private static func must(_ result: Int32, _ call: String) throws {
        // X509_sign answers with the signature's length, the others with 1.
        guard result > 0 else { throw Failed(call: call) }
    }

    private static func made<Value>(_ value: Value?, _ call: String) throws -> Value {
        guard let value else { throw Failed(call: call) }
        return value
    }
}
