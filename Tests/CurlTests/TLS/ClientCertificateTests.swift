import Foundation
import TestSupport
import Testing

@testable import Curl

@Suite struct ClientCertificateTests {
    private let authority: TestAuthority
    private let engine: TransferEngine
    private let server: TLSServer

    init() throws {
        authority = try TestAuthority()
        engine = try TransferEngine()
        server = try TLSServer(
            authority, certificate: authority.issue("leaf"), options: "-www -Verify 1 -verify_return_error -CAfile ca.crt")
    }

    private func text(_ file: String) throws -> String {
        try String(contentsOfFile: authority.folder.file(file), encoding: .utf8)
    }

    private func ask(_ certificate: (chain: String, key: String)?) async throws -> TransferReport {
        await engine.transfer(
            try request("https://127.0.0.1:\(server.port)/") {
                $0.caFile = authority.bundle
                $0.clientCertificate = certificate
                $0.keepBody = 1 << 16
            })
    }

    @Test func isShownToAServerThatAsksForOne() async throws {
        let file = try authority.issue("me")
        let report = try await ask((chain: text("\(file).crt"), key: text("\(file).key")))
        #expect(report.status == 200)
        #expect(report.text.contains("Client certificate"))
    }

    @Test func withoutOneTheHandshakeFails() async throws {
        let report = try await ask(nil)
        #expect(report.code == .tlsFailed)
        #expect(report.certificates.first?.subject == "CN=leaf")
    }

    @Test func aPairIsKnownBeforeItIsShown() throws {
        let (mine, other) = (try authority.issue("me"), try authority.issue("other"))
        let (chain, key) = (try text("\(mine).crt"), try text("\(mine).key"))
        #expect(clientCertificateProblem(chain: chain, key: key) == nil)
        #expect(clientCertificateProblem(chain: key + chain, key: chain + key) == nil)
        #expect(clientCertificateProblem(chain: chain, key: try text("\(other).key")) == .keyOfAnother)
        let otherFirst = try text("\(other).crt") + chain
        #expect(clientCertificateProblem(chain: otherFirst, key: key) == .keyOfAnother)
        #expect(clientCertificateProblem(chain: chain, key: chain) == .keyUnreadable)
        #expect(clientCertificateProblem(chain: "", key: key) == .certificateUnreadable)
        let noise = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        #expect(clientCertificateProblem(chain: noise, key: key) == .certificateUnreadable)
    }

    @Test func aPairThatNoHandshakeTakesIsKnownToo() async throws {
        let words = "req -x509 -newkey rsa:1024 -nodes -days 30 -subj /CN=weak -keyout weak.key -out weak.crt"
            .split(separator: " ").map(String.init)
        #expect(try ChildProcess.run("/usr/bin/openssl", words, in: authority.folder.path).status == 0)
        let pair = (chain: try text("weak.crt"), key: try text("weak.key"))
        #expect(clientCertificateProblem(chain: pair.chain, key: pair.key) == .refused("ee key too small"))
        #expect(try await ask(pair).code == .clientCertificateUnusable)
    }

    /// On a terminal OpenSSL would ask for the password and wait.
    @Test func anEncryptedKeyAsksNobody() throws {
        let file = try authority.issue("me")
        let words = "pkcs8 -topk8 -in \(file).key -out locked.key -passout pass:secret".split(separator: " ").map(String.init)
        #expect(try ChildProcess.run("/usr/bin/openssl", words, in: authority.folder.path).status == 0)
        #expect(clientCertificateProblem(chain: try text("\(file).crt"), key: try text("locked.key")) == .keyUnreadable)
    }

    @Test func aKeyOfAnotherCertificateIsOurOwnTrouble() async throws {
        let (file, other) = (try authority.issue("me"), try authority.issue("other"))
        let report = try await ask((chain: text("\(file).crt"), key: text("\(other).key")))
        #expect(report.code == .clientCertificateUnusable)
        #expect(report.failure?.detail.isEmpty == false)
    }
}
