/// A version of TLS that a handshake agreed on. Its text is the same on `/metrics`, in JSON and in a terminal, and is blackbox_exporter's.
package enum TLSVersion: String, Hashable, Sendable, CaseIterable {
    case tls10 = "TLS 1.0"
    case tls11 = "TLS 1.1"
    case tls12 = "TLS 1.2"
    case tls13 = "TLS 1.3"
}

/// The certificate that a server presented for itself, as the page of metrics shows it.
///
/// Its words are made when somebody asks for them: most probes see the certificate of the probe before, and are known to by the fingerprint.
package struct LeafCertificate: Hashable, Sendable {
    /// A stranger's words, exact.
    package struct Words: Hashable, Sendable {
        /// In RFC 2253's form.
        package var subject: String
        package var issuer: String
        /// The hosts that it is for; addresses are not among them.
        package var hosts: [String]

        package init(subject: String, issuer: String, hosts: [String]) {
            (self.subject, self.issuer, self.hosts) = (subject, issuer, hosts)
        }
    }

    /// SHA-256 of its DER form, 32 bytes.
    package let fingerprint: [UInt8]
    private let read: @Sendable () -> Words

    package init(fingerprint: [UInt8], words: @escaping @Sendable () -> Words) {
        (self.fingerprint, read) = (fingerprint, words)
    }

    package var words: Words { read() }

    package static func == (one: Self, other: Self) -> Bool { one.fingerprint == other.fingerprint }
    package func hash(into hasher: inout Hasher) { hasher.combine(fingerprint) }
}
