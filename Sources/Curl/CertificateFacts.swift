internal import CCurl
internal import Synchronization

/// What a certificate says of itself. The names are the server's words: foreign text of at most 512 bytes.
package struct CertificateFacts: Sendable {
    /// Since 1970; nil when the certificate's time can't be read.
    package let notBeforeSeconds: Int64?
    package let notAfterSeconds: Int64?
    private let source: Source

    private enum Source {
        case certificate(Certificate)
        case words(subject: String, issuer: String, names: [Name], fingerprint: [UInt8])
    }

    /// What a certificate is for: a host by its name, or an address.
    package struct Name: Hashable, Sendable {
        package let text: String
        package let isHost: Bool

        package init(_ text: String, isHost: Bool) { (self.text, self.isHost) = (text, isHost) }
    }

    init(_ certificate: Certificate) {
        // A large one takes twenty times its bytes in memory, as long as somebody keeps it.
        source =
            certificate.isLarge
            ? .words(
                subject: certificate.subject, issuer: certificate.issuer, names: certificate.names,
                fingerprint: certificate.fingerprint)
            : .certificate(certificate)
        (notBeforeSeconds, notAfterSeconds) = (certificate.notBeforeSeconds, certificate.notAfterSeconds)
    }

    init(subject: String, issuer: String, names: [Name] = [], notBeforeSeconds: Int64?, notAfterSeconds: Int64?) {
        source = .words(subject: subject, issuer: issuer, names: names, fingerprint: [])
        (self.notBeforeSeconds, self.notAfterSeconds) = (notBeforeSeconds, notAfterSeconds)
    }

    /// The certificate is kept as long as these facts are.
    var keepsCertificate: Bool { if case .certificate = source { true } else { false } }

    /// In RFC 2253's form.
    package var subject: String {
        switch source {
        case .certificate(let certificate): certificate.subject
        case .words(let subject, _, _, _): subject
        }
    }

    package var issuer: String {
        switch source {
        case .certificate(let certificate): certificate.issuer
        case .words(_, let issuer, _, _): issuer
        }
    }

    /// The hosts and addresses that it is for, the first 32 of them.
    package var names: [Name] {
        switch source {
        case .certificate(let certificate): certificate.names
        case .words(_, _, let names, _): names
        }
    }

    /// SHA-256 of its DER form, 32 bytes.
    package var fingerprint: [UInt8] {
        switch source {
        case .certificate(let certificate): certificate.fingerprint
        case .words(_, _, _, let fingerprint): fingerprint
        }
    }
}

/// A certificate as OpenSSL keeps it. Its words are read when somebody asks for them: a probe that goes well wants none, and they would be
/// a hundredth of what it costs.
final class Certificate: Sendable {
    private static let wordsMax = 512
    private static let namesMax: Int32 = 32

    private let digest = Mutex<[UInt8]?>(nil)
    // OpenSSL counts its references; nobody changes it any more.
    nonisolated(unsafe) private let pointer: OpaquePointer

    /// Of its DER form.
    let byteCount: Int

    init(_ pointer: OpaquePointer) {
        X509_up_ref(pointer)
        self.pointer = pointer
        byteCount = max(0, Int(rf_certificate_bytes(pointer)))
    }

    deinit { X509_free(pointer) }

    var isLarge: Bool { byteCount > 4096 }
    var notBeforeSeconds: Int64? { Self.seconds(X509_get0_notBefore(pointer)) }
    var notAfterSeconds: Int64? { Self.seconds(X509_get0_notAfter(pointer)) }
    var subject: String { Self.text(X509_get_subject_name(pointer)) }
    var issuer: String { Self.text(X509_get_issuer_name(pointer)) }

    var names: [CertificateFacts.Name] {
        guard let names = rf_alternative_names(pointer) else { return [] }
        defer { GENERAL_NAMES_free(names) }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.wordsMax) { space in
            (0..<min(rf_alternative_name_count(names), Self.namesMax)).compactMap { index in
                let count = Int(rf_alternative_name(names, index, space.baseAddress, Int32(space.count)))
                guard count > 0 else { return nil }
                let text = String(decoding: UnsafeRawBufferPointer(space).prefix(count), as: UTF8.self)
                return CertificateFacts.Name(text, isHost: rf_is_host_name(names, index) == 1)
            }
        }
    }

    /// Computed once: each probe wants the one of its server.
    var fingerprint: [UInt8] {
        digest.withLock { digest in
            if let digest { return digest }
            let bytes = [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { space, count in
                count = rf_fingerprint(pointer, space.baseAddress) == 1 ? 32 : 0
            }
            digest = bytes
            return bytes
        }
    }

    private static func text(_ name: OpaquePointer?) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: wordsMax) { space in
            let count = Int(rf_name_text(name, space.baseAddress, Int32(space.count)))
            return String(decoding: UnsafeRawBufferPointer(space).prefix(count), as: UTF8.self)
        }
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        let seconds = rf_seconds(time)
        return seconds == .min ? nil : seconds
    }
}
