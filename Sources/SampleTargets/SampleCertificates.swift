import Crypto
import FoundationEssentials
import NIOSSL
import SwiftASN1
import X509

/// Certificates made at start, so that no private key is kept anywhere: an authority, and what it did or did not sign.
struct SampleCertificates {
    let authorityPEM: String
    let valid: TLSConfiguration
    let expired: TLSConfiguration
    let selfSigned: TLSConfiguration

    private static let day: Double = 86_400

    init() throws {
        let authorityKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let authorityName = try DistinguishedName { CommonName("Rangefinder sample authority") }
        let now = Date()
        let authority = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: authorityKey.publicKey,
            notValidBefore: now - 30 * Self.day, notValidAfter: now + 365 * Self.day,
            issuer: authorityName, subject: authorityName, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try .init {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
            },
            issuerPrivateKey: authorityKey)
        authorityPEM = try authority.serializeAsPEM().pemString

        func configuration(
            _ commonName: String, from: Date, until: Date, signedBy signer: (DistinguishedName, Certificate.PrivateKey)?
        ) throws -> TLSConfiguration {
            let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
            let subject = try DistinguishedName { CommonName(commonName) }
            let certificate = try Certificate(
                version: .v3, serialNumber: .init(), publicKey: key.publicKey, notValidBefore: from, notValidAfter: until,
                issuer: signer?.0 ?? subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try .init {
                    SubjectAlternativeNames([.dnsName("localhost"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1]))])
                },
                issuerPrivateKey: signer?.1 ?? key)
            return TLSConfiguration.makeServerConfiguration(
                certificateChain: [
                    .certificate(try NIOSSLCertificate(bytes: Array(certificate.serializeAsPEM().pemString.utf8), format: .pem))
                ],
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.serializeAsPEM().pemString.utf8), format: .pem)))
        }
        let signer = (authorityName, authorityKey)
        valid = try configuration("search.sample", from: now - Self.day, until: now + 90 * Self.day, signedBy: signer)
        expired = try configuration("ledger.sample", from: now - 20 * Self.day, until: now - 0.125 * Self.day, signedBy: signer)
        selfSigned = try configuration("partner.sample", from: now - Self.day, until: now + 90 * Self.day, signedBy: nil)
    }
}
