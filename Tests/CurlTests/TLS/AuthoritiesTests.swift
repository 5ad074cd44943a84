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
        let shelf = Shelf(authority)
        let first = try #require(shelf.bundle(nil, now: 0))
        try spoil(authority.bundle)
        #expect(shelf.bundle(authority.bundle, now: 3_600_000_000_000) === first)
        #expect(shelf.readings == 1)
    }

    @Test func aBundleThatHasChangedIsReadAgainWithinASecond() throws {
        try settle(authority.bundle)
        let shelf = Shelf(authority)
        let first = try #require(shelf.bundle(nil, now: 0))
        try FileManager.default.removeItem(atPath: authority.bundle)
        #expect(shelf.bundle(nil, now: 999_999_999) === first)
        // Nobody waits for what is being read again.
        #expect(shelf.bundle(nil, now: 1_000_000_000) === first)
        #expect(shelf.bundle(nil, now: 1_000_000_001) == nil)
    }

    @Test func aFileThatAppearsIsRead() throws {
        let shelf = Shelf(authority)
        let file = authority.folder.file("late.crt")
        #expect(shelf.bundle(file, now: 0) == nil)
        try authority.folder.write(String(contentsOfFile: authority.bundle, encoding: .utf8), to: "late.crt")
        #expect(shelf.bundle(file, now: 1_000_000_000) == nil)
        #expect(shelf.bundle(file, now: 1_000_000_001) != nil)
    }

    /// Of a file that is being written, a part is a bundle too.
    @Test func aBundleThatWasJustWrittenIsReadAgainWhateverItsTime() throws {
        let written = Date()
        try settle(authority.bundle, at: written)
        let shelf = Shelf(authority)
        let first = try #require(shelf.bundle(nil, now: 0))
        try spoil(authority.bundle, at: written)
        #expect(shelf.bundle(nil, now: 1_000_000_000) === first)
        #expect(shelf.bundle(nil, now: 1_000_000_001) == nil)
    }

    @Test func whoeverComesWhileABundleIsReadForTheFirstTimeIsNamedWhenItIsThere() throws {
        let authorities = Authorities(systemBundle: authority.bundle) { _, _ in }
        for transfer: UInt64 in [1, 2] {
            let waiter = Authorities.Waiter(transfer: transfer, mailbox: nil)
            guard case .underWay = authorities.bundle(nil, for: waiter, now: 0) else { return #expect(Bool(false)) }
        }
        #expect(authorities.finish(authority.bundle, FileForm(authority.bundle), ParsedBundle(authority.bundle)) == [1, 2])
        guard case .here(.some) = authorities.bundle(nil, for: .init(transfer: 3, mailbox: nil), now: 1) else {
            return #expect(Bool(false))
        }
    }

    @Test func theOneThatWasUsedLongestAgoMakesRoom() throws {
        let files = try (0...Authorities.bundlesMax).map { number in
            try authority.folder.write(String(contentsOfFile: authority.bundle, encoding: .utf8), to: "\(number).crt")
            return authority.folder.file("\(number).crt")
        }
        let shelf = Shelf(authority)
        for (now, file) in files.dropLast().enumerated() { #expect(shelf.bundle(file, now: UInt64(now)) != nil) }
        #expect(shelf.bundle(files[0], now: 100) != nil)
        #expect(shelf.bundle(files[Authorities.bundlesMax], now: 101) != nil)
        for file in files { try FileManager.default.removeItem(atPath: file) }
        #expect(shelf.bundle(files[0], now: 102) != nil)
        #expect(shelf.bundle(files[1], now: 103) == nil)
    }

    /// A file that never ends being read holds up those who want it, and nobody else.
    @Test func aFileThatCantBeReadToItsEndIsWaitedForAsLongAsTheTransferMayTake() async throws {
        let pipe = authority.folder.file("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        let server = try TLSServer(authority, certificate: authority.issue("leaf"))
        let url = "https://127.0.0.1:\(server.port)/"
        async let stuck = engine.transfer(try request(url, timeout: .milliseconds(300)) { $0.caFile = pipe })
        #expect(await engine.transfer(try request(url) { $0.caFile = authority.bundle }).failure == nil)
        let failure = try await stuck.failure
        #expect(failure?.code == .caFileUnreadable && failure?.detail.contains("takes too long") == true)
        // Its reader is let go.
        try FileHandle(forWritingTo: URL(fileURLWithPath: pipe)).close()
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

/// Bundles that are read as soon as they have been asked for.
private final class Shelf {
    private let authorities: Authorities
    private let wanted = Watched<[String]>([])
    private(set) var readings = 0

    init(_ authority: TestAuthority) {
        authorities = Authorities(systemBundle: authority.bundle) { [wanted] path, _ in wanted.change { $0.append(path) } }
    }

    func bundle(_ file: String?, now: UInt64) -> ParsedBundle? {
        let waiter = Authorities.Waiter(transfer: 1, mailbox: nil)
        let answer = authorities.bundle(file, for: waiter, now: now)
        for path in wanted.value {
            readings += 1
            authorities.finish(path, FileForm(path), ParsedBundle(path))
        }
        wanted.change { $0 = [] }
        if case .here(let bundle) = answer { return bundle }
        return if case .here(let bundle) = authorities.bundle(file, for: waiter, now: now) { bundle } else { nil }
    }
}
