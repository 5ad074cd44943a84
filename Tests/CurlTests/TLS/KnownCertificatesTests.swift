import CCurl
import TestSupport
import Testing

@testable import Curl

@Suite struct KnownCertificatesTests {
    private func certificate(_ file: String) throws -> OpaquePointer {
        let input = try #require(BIO_new_file(file, "r"))
        defer { BIO_free(input) }
        return try #require(PEM_read_bio_X509(input, nil, nil, nil))
    }

    @Test func eachCertificateHasItsOwnFacts() throws {
        let authority = try TestAuthority()
        let files = try ["one", "two"].map { authority.folder.file(try authority.issue($0) + ".crt") }
        let known = KnownCertificates()
        for _ in 0..<2 {
            let facts = try files.map { file in
                let certificate = try certificate(file)
                defer { X509_free(certificate) }
                return known.facts(of: certificate)
            }
            #expect(facts.map(\.subject) == ["CN=one", "CN=two"])
            #expect(facts[0].fingerprint.count == 32 && facts[0].fingerprint != facts[1].fingerprint)
        }
    }

    @Test func theSameCertificateIsReadOnce() throws {
        let known = KnownCertificates()
        let certificate = try #require(X509_new())
        for _ in 0..<3 { _ = known.facts(of: certificate) }
        #expect(known.count == 1)
        X509_free(certificate)
    }

    @Test func theirNumberIsBounded() throws {
        let known = KnownCertificates()
        for _ in 0..<3 * KnownCertificates.max {
            let certificate = try #require(X509_new())
            _ = known.facts(of: certificate)
            X509_free(certificate)
        }
        #expect(known.count <= KnownCertificates.max)
    }

    @Test func theirBytesAreBounded() throws {
        let authority = try TestAuthority()
        let names = (0..<80).map { "DNS:host-\($0).of-a-long-name.example" }.joined(separator: ",")
        let file = authority.folder.file(try authority.issue("wide", subjectAlternativeName: names) + ".crt")
        let known = KnownCertificates()
        var most = 0
        for _ in 0..<300 {
            let certificate = try certificate(file)
            defer { X509_free(certificate) }
            _ = known.facts(of: certificate)
            most = max(most, known.bytes)
        }
        #expect(known.count < 300 && most > KnownCertificates.bytesMax / 2 && most <= KnownCertificates.bytesMax)
    }

    /// It would take twenty times its bytes in memory.
    @Test func aLargeCertificateIsNotKept() throws {
        let authority = try TestAuthority()
        let names = (0..<700).map { "DNS:host-\($0).of-a-long-name.example" }.joined(separator: ",")
        let file = authority.folder.file(try authority.issue("large", subjectAlternativeName: names) + ".crt")
        let known = KnownCertificates()
        let certificate = try certificate(file)
        defer { X509_free(certificate) }
        #expect(known.facts(of: certificate).subject == "CN=large")
        #expect(known.count == 0)
    }
}
