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
        try settle(authority.bundle)
        let server = try TLSServer(authority, certificate: authority.issue("leaf"))
        #expect(try await probe(server, by: authority).failure == nil)
        #expect(try await probe(server, by: stranger).code == .certificateUntrusted)
        try spoil(authority.bundle)
        #expect(try await probe(server, by: authority).failure == nil)
    }

    @Test func aKeptConnectionIsUsedOnlyByThoseWhoTrustItsServer() async throws {
        let server = try TLSServer(authority, certificate: authority.issue("leaf"), options: "-WWW")
        try authority.folder.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", to: "page")
        #expect(try await probe(server, by: authority, .reuse).failure == nil)
        #expect(try await probe(server, by: stranger, .reuse).code == .certificateUntrusted)
    }

    @Test func aBundleThatIsAsItWasIsNotReadAgain() throws {
        try settle(authority.bundle)
        let authorities = Authorities(systemBundle: authority.bundle)
        let first = try #require(authorities.bundle(nil, now: 0))
        try spoil(authority.bundle)
        #expect(authorities.bundle(authority.bundle, now: 3_600_000_000_000) == first)
    }

    @Test func aBundleThatHasChangedIsReadAgainWithinASecond() throws {
        try settle(authority.bundle)
        let authorities = Authorities(systemBundle: authority.bundle)
        let first = try #require(authorities.bundle(nil, now: 0))
        try FileManager.default.removeItem(atPath: authority.bundle)
        #expect(authorities.bundle(nil, now: 999_999_999) == first)
        #expect(authorities.bundle(nil, now: 1_000_000_000) == nil)
    }

    /// Of a file that is being written, a part is a bundle too.
    @Test func aBundleThatWasJustWrittenIsReadAgainWhateverItsTime() throws {
        let authorities = Authorities(systemBundle: authority.bundle)
        let written = Date()
        try settle(authority.bundle, at: written)
        let first = try #require(authorities.bundle(nil, now: 0))
        try spoil(authority.bundle, at: written)
        #expect(authorities.bundle(nil, now: 999_999_999) == first)
        #expect(authorities.bundle(nil, now: 1_000_000_000) == nil)
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

    private static let longAgo = Date(timeIntervalSince1970: 1_700_000_000)

    private func settle(_ file: String, at written: Date = longAgo) throws {
        try FileManager.default.setAttributes([.modificationDate: written], ofItemAtPath: file)
    }

    /// What is read from now on is no bundle, and nothing else tells of that.
    private func spoil(_ file: String, at written: Date = longAgo) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
        let size = try handle.seekToEnd()
        try handle.seek(toOffset: 0)
        try handle.write(contentsOf: Data(repeating: 0x78, count: Int(size)))
        try handle.close()
        try settle(file, at: written)
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
