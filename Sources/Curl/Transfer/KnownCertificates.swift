/// The facts of certificates that an engine has seen. A server shows the same certificates each time, and `CHandshake` answers them with
/// the same `X509`. For the engine's thread alone.
final class KnownCertificates {
    static let max = 512

    /// By the address of the `X509`, which the facts keep: no other certificate can have the address meanwhile.
    private var known: [OpaquePointer: CertificateFacts] = [:]

    var count: Int { known.count }

    func facts(of certificate: OpaquePointer) -> CertificateFacts {
        if let facts = known[certificate] { return facts }
        let facts = CertificateFacts(Certificate(certificate))
        guard facts.keepsCertificate else { return facts }
        if known.count >= Self.max { known.removeAll(keepingCapacity: true) }
        known[certificate] = facts
        return facts
    }
}
