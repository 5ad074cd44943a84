/// The facts of certificates that an engine has seen. A server shows the same certificates each time, and `CHandshake` answers them with
/// the same `X509`. For the engine's thread alone.
final class KnownCertificates {
    static let max = 512
    /// Of all DER forms together. A certificate takes some twenty times its bytes in memory.
    static let bytesMax = 512 << 10

    /// By the address of the `X509`, which the facts keep: no other certificate can have the address meanwhile.
    private var known: [OpaquePointer: CertificateFacts] = [:]
    private(set) var bytes = 0

    var count: Int { known.count }

    func facts(of certificate: OpaquePointer) -> CertificateFacts {
        if let facts = known[certificate] { return facts }
        let read = Certificate(certificate)
        let facts = CertificateFacts(read)
        guard facts.keepsCertificate else { return facts }
        if known.count >= Self.max || bytes + read.byteCount > Self.bytesMax {
            known.removeAll(keepingCapacity: true)
            bytes = 0
        }
        known[certificate] = facts
        bytes += read.byteCount
        return facts
    }
}
