import Foundation
import TestSupport
import Testing

@testable import Curl

/// Against `openssl s_server` with certificates of an authority that each test makes for itself.
@Suite struct TLSTests {
    let engine: TransferEngine
    let authority: TestAuthority

    init() throws {
        engine = try TransferEngine()
        authority = try TestAuthority()
    }

    private func probe(_ server: TLSServer, host: String = "127.0.0.1") async throws -> TransferReport {
        await engine.transfer(try request("https://\(host):\(server.port)/") { $0.caFile = authority.bundle })
    }

    @Test func reportsPhasesVersionAndCertificatesOfAGoodHandshake() async throws {
        let server = try TLSServer(authority, certificate: authority.issue("leaf"))
        let report = try await probe(server)
        #expect(report.failure == nil && report.status == 200)
        #expect(report.usedTLS && report.tlsVersion == .tls13)
        #expect(report.tls ?? .zero > .zero && report.connect ?? .zero > .zero)
        let leaf = try #require(report.certificates.first)
        #expect(leaf.subject == "CN=leaf" && leaf.issuer == "CN=Test-Authority")
        #expect(leaf.names == [.init("127.0.0.1", isHost: false), .init("localhost", isHost: true)])
        let days = (Double(leaf.notAfterSeconds ?? 0) - Date().timeIntervalSince1970) / 86_400
        #expect(days > 29 && days < 31)
    }

    @Test func checksTheNameAndSendsItWhenTheAddressIsPinned() async throws {
        let server = try TLSServer(authority, certificate: authority.issue("leaf", subjectAlternativeName: "DNS:localhost"))
        let report = await engine.transfer(
            try request("https://localhost:\(server.port)/") {
                $0.caFile = authority.bundle
                $0.family = .v4
            })
        #expect(report.failure == nil && report.dns ?? .zero > .zero)
    }

    @Test func tellsTLS12() async throws {
        let server = try TLSServer(authority, certificate: authority.issue("leaf"), options: "-www -tls1_2")
        #expect(try await probe(server).tlsVersion == .tls12)
    }

    @Test func ticketsWithoutEndAreNotTaken() async throws {
        for (tickets, code) in [(8, nil), (200, TransferFailure.Code.protocolError)] {
            let server = try TLSServer(authority, certificate: authority.issue("leaf"), options: "-www -num_tickets \(tickets)")
            #expect(try await probe(server).code == code, "\(tickets) tickets")
        }
    }

    /// The server would choose how long our side of it takes.
    @Test func noGroupOfTheServersOwnIsTaken() async throws {
        for words in [
            "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=rsa -addext subjectAltName=IP:127.0.0.1 -keyout rsa.key -out rsa.crt",
            "genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out dh.pem",
        ] {
            let arguments = words.split(separator: " ").map(String.init)
            #expect(try ChildProcess.run("/usr/bin/openssl", arguments, in: authority.folder.path).status == 0)
        }
        for (ciphers, code) in [("DEFAULT", nil), ("kDHE", TransferFailure.Code.tlsFailed)] {
            let server = try TLSServer(
                authority, certificate: "rsa", options: "-www -tls1_2 -cipher \(ciphers) -dhparam dh.pem")
            let asked = try request("https://127.0.0.1:\(server.port)/") { $0.caFile = authority.folder.file("rsa.crt") }
            #expect(await engine.transfer(asked).code == code, "\(ciphers)")
        }
    }

    @Test func anExpiredCertificateStillShowsItsExpiry() async throws {
        let server = try TLSServer(
            authority, certificate: authority.issue("old", from: "20200101000000Z", to: "20210101000000Z"))
        let report = try await probe(server)
        #expect(report.code == .certificateExpired)
        #expect(report.certificates.first?.notAfterSeconds == 1_609_459_200)
        #expect(report.status == nil && report.tls != nil && report.processing == nil)
        #expect(report.tlsVersion == .tls13)
    }

    @Test func aCertificateOfTheFutureIsNotYetValid() async throws {
        let server = try TLSServer(
            authority, certificate: authority.issue("new", from: "20400101000000Z", to: "20410101000000Z"))
        #expect(try await probe(server).code == .certificateNotYetValid)
    }

    @Test func aCertificateForAnotherNameIsAMismatch() async throws {
        let server = try TLSServer(
            authority, certificate: authority.issue("other", subjectAlternativeName: "DNS:elsewhere.example"))
        let report = try await probe(server)
        #expect(report.code == .certificateNameMismatch && report.certificates.first?.subject == "CN=other")
    }

    @Test func aSelfSignedCertificateIsUntrusted() async throws {
        let server = try TLSServer(authority, certificate: authority.selfSigned())
        let report = try await probe(server)
        #expect(report.code == .certificateUntrusted && report.certificates.first?.subject == "CN=Nobody")
    }

    @Test func anAuthorityOutsideTheSystemBundleIsUntrusted() async throws {
        let server = try TLSServer(authority, certificate: authority.issue("leaf"))
        let report = await engine.transfer(try request("https://127.0.0.1:\(server.port)/"))
        #expect(report.code == .certificateUntrusted && report.failure?.detail.isEmpty == false)
    }

    @Test func aBundleThatCannotBeReadIsSaid() async throws {
        let server = try TLSServer(authority, certificate: authority.issue("leaf"))
        let report = await engine.transfer(try request("https://127.0.0.1:\(server.port)/") { $0.caFile = "/nonexistent.pem" })
        #expect(report.code == .caFileUnreadable)
    }

    @Test func aPlainServerFailsTheHandshake() async throws {
        let server = try ConnectionServer {
            _ = $0.readSome()
            $0.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            $0.waitForClose()
        }
        let report = await engine.transfer(try request("https://127.0.0.1:\(server.port)/"))
        #expect(report.code == .tlsFailed && report.connect ?? .zero > .zero)
    }

    @Test func aHandshakeThatStallsIsATLSTimeout() async throws {
        let server = try ConnectionServer { $0.waitForClose() }
        // The system's bundle might take longer to read than this waits.
        let asked = try request("https://127.0.0.1:\(server.port)/", timeout: .milliseconds(150)) { $0.caFile = authority.bundle }
        let report = await engine.transfer(asked)
        #expect(report.code == .tlsTimedOut)
        #expect(report.tls ?? .zero > .milliseconds(100) && report.processing == nil)
    }

    @Test func aHandshakeCutOffIsAClose() async throws {
        let server = try ConnectionServer { _ = $0.readSome() }
        let report = await engine.transfer(try request("https://127.0.0.1:\(server.port)/"))
        #expect(report.code == .connectionClosed)
    }

    @Test func aHandshakeResetIsAReset() async throws {
        let server = try ConnectionServer {
            _ = $0.readSome()
            $0.reset()
        }
        let report = await engine.transfer(try request("https://127.0.0.1:\(server.port)/"))
        #expect(report.code == .connectReset)
    }

    @Test func silenceAfterTheHandshakeIsAPlainTimeout() async throws {
        // Without -www, s_server shows what it reads and answers nothing.
        let server = try TLSServer(authority, certificate: authority.issue("leaf"), options: "-naccept 1")
        let report = await engine.transfer(
            try request("https://127.0.0.1:\(server.port)/", timeout: .milliseconds(600)) { $0.caFile = authority.bundle })
        #expect(report.code == .timedOut && report.certificates.count == 1)
    }

    @Test func aServerThatWantsACertificateOfOursFailsTLS() async throws {
        let server = try TLSServer(authority, certificate: authority.issue("leaf"), options: "-www -Verify 1")
        #expect(try await probe(server).code == .tlsFailed)
    }

    @Test func aKeptConnectionStillShowsItsCertificate() async throws {
        let server = try TLSServer(authority, certificate: authority.issue("leaf"), options: "-WWW")
        try authority.folder.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", to: "page")
        for _ in 0..<2 {
            let report = await engine.transfer(
                try request("https://127.0.0.1:\(server.port)/page") {
                    $0.caFile = authority.bundle
                    $0.connection = .reuse
                })
            #expect(report.certificates.first?.subject == "CN=leaf" && report.tlsVersion == .tls13)
            #expect(report.verifiedChain.map(\.subject) == ["CN=leaf", "CN=Test-Authority"])
            #expect(report.tlsCipher?.hasPrefix("TLS_") == true)
        }
    }
}
