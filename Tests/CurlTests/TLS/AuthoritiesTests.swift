import Foundation
import TestSupport
import Testing

@testable import Curl

/// How often a bundle of authorities is read, and whom it speaks for.
@Suite struct AuthoritiesTests {
    let engine: TransferEngine
    let authority: TestAuthority
    let stranger: TestAuthority

    init() throws {
        engine = try TransferEngine()
        (authority, stranger) = (try TestAuthority(), try TestAuthority())
    }

    @Test func bundlesThatAlternateAreReadOnce() async throws {
        let server = try TLSServer(authority, certificate: authority.issue("leaf"))
        #expect(try await probe(server, by: authority).failure == nil)
        #expect(try await probe(server, by: stranger).code == .certificateUntrusted)
        // What is not there any more can't be read again.
        try FileManager.default.removeItem(atPath: authority.bundle)
        #expect(try await probe(server, by: authority).failure == nil)
    }

    @Test func aKeptConnectionIsUsedOnlyByThoseWhoTrustItsServer() async throws {
        let server = try TLSServer(authority, certificate: authority.issue("leaf"), options: "-WWW")
        try authority.folder.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", to: "page")
        #expect(try await probe(server, by: authority, .reuse).failure == nil)
        #expect(try await probe(server, by: stranger, .reuse).code == .certificateUntrusted)
    }

    @Test func aBundleIsReadAgainAfterAMinute() throws {
        let authorities = Authorities(systemBundle: authority.bundle)
        let first = try #require(authorities.bundle(nil, now: 0))
        #expect(authorities.bundle(authority.bundle, now: 59_000_000_000) == first)
        try FileManager.default.removeItem(atPath: authority.bundle)
        #expect(authorities.bundle(nil, now: 60_000_000_000) == nil)
    }

    @Test func theOneThatWasUsedLongestAgoMakesRoom() throws {
        let files = try (0...Authorities.bundlesMax).map { number in
            try authority.folder.write(String(contentsOfFile: authority.bundle, encoding: .utf8), to: "\(number).crt")
            return authority.folder.file("\(number).crt")
        }
        let authorities = Authorities(systemBundle: authority.bundle)
        for (now, file) in files.dropLast().enumerated() { #expect(authorities.bundle(file, now: UInt64(now)) != nil) }
        #expect(authorities.bundle(files[0], now: 100) != nil)
        #expect(authorities.bundle(files[Authorities.bundlesMax], now: 101) != nil)
        for file in files { try FileManager.default.removeItem(atPath: file) }
        #expect(authorities.bundle(files[0], now: 102) != nil)
        #expect(authorities.bundle(files[1], now: 103) == nil)
    }

    private func probe(
        _ server: TLSServer, by authority: TestAuthority, _ connection: TransferRequest.Connection = .fresh
    ) async throws -> TransferReport {
        await engine.transfer(
            try request("https://127.0.0.1:\(server.port)/page") {
                $0.caFile = authority.bundle
                $0.connection = connection
            })
    }
}
