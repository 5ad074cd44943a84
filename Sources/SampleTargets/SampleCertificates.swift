import NIOSSL

/// Certificates made at start, so that no private key is kept anywhere: an authority, and what it did or did not sign.
struct SampleCertificates {
    let authorityPEM: String
    let valid: TLSConfiguration
    let expired: TLSConfiguration
    let selfSigned: TLSConfiguration

    private static let day = 86_400

    init() throws {
        let day = Self.day
        let authority = try SampleCertificate(
            name: "Rangefinder sample authority", validFrom: -30 * day, until: 365 * day,
            extensions: [.isAuthority, .signsCertificates])
        func configuration(
            _ name: String, from: Int, until: Int, signedBy signer: SampleCertificate?
        ) throws -> TLSConfiguration {
            let certificate = try SampleCertificate(
                name: name, validFrom: from, until: until, extensions: [.isForLoopback], signedBy: signer)
            return TLSConfiguration.makeServerConfiguration(
                certificateChain: [.certificate(try NIOSSLCertificate(bytes: certificate.der(), format: .der))],
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: certificate.keyDER(), format: .der)))
        }
        authorityPEM = try authority.pem()
        valid = try configuration("search.sample", from: -day, until: 90 * day, signedBy: authority)
        expired = try configuration("ledger.sample", from: -20 * day, until: -day / 8, signedBy: authority)
        selfSigned = try configuration("partner.sample", from: -day, until: 90 * day, signedBy: nil)
    }
}
