import Foundation
import TestSupport
import Testing

@testable import Curl

/// What the handshakes of one engine share, and what they don't.
@Suite(.timeLimit(.minutes(5))) struct SharedHandshakeTests {
    let engine: TransferEngine
    let authority: TestAuthority

    init() throws {
        (engine, authority) = (try TransferEngine(), try TestAuthority())
    }

    private func wanted(
        _ port: Int, by authority: TestAuthority? = nil, _ change: (inout TransferRequest) -> Void = { _ in }
    ) throws -> TransferRequest {
        try request("https://127.0.0.1:\(port)/") {
            ($0.caFile, $0.keepBody) = ((authority ?? self.authority).bundle, 1 << 16)
            change(&$0)
        }
    }

    private func pair(_ name: String) throws -> (chain: String, key: String) {
        let file = try authority.issue(name)
        return (try authority.folder.read("\(file).crt"), try authority.folder.read("\(file).key"))
    }

    /// Each of them so many times, all at once.
    private func all(_ requests: [TransferRequest], times: Int) async -> [[TransferReport]] {
        await withTaskGroup(of: (Int, TransferReport).self) { group in
            for _ in 0..<times {
                for (index, request) in requests.enumerated() { group.addTask { (index, await engine.transfer(request)) } }
            }
            return await group.reduce(into: Array(repeating: [], count: requests.count)) { $0[$1.0].append($1.1) }
        }
    }

    @Test func manyHandshakesMakeOneContextAndReadACertificateOnce() async throws {
        let server = try TLSServer(authority, certificate: authority.issue("leaf"))
        for _ in 0..<20 { #expect(await engine.transfer(try wanted(server.port)).status == 200) }
        #expect(engine.handshakes.contextsMade == 1)
        #expect(engine.handshakes.certificatesRead == 1)
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"]) func everyHandshakeIsAFullOne(version: String) async throws {
        let server = try TLSServer(authority, certificate: authority.issue("leaf"), options: "-www \(version)")
        for _ in 0..<3 {
            let report = await engine.transfer(try wanted(server.port))
            #expect(report.text.contains("\nNew, TLSv1.") && !report.text.contains("\nReused, "))
            #expect(report.certificates.map(\.subject) == ["CN=leaf"])
            #expect(report.verifiedChain.map(\.subject) == ["CN=leaf", "CN=Test-Authority"])
        }
    }

    @Test func aServerIsJudgedByItsOwnCertificateWhateverWasSeenBefore() async throws {
        let servers = [
            try TLSServer(authority, certificate: authority.issue("good")),
            try TLSServer(authority, certificate: authority.issue("old", from: "20200101000000Z", to: "20210101000000Z")),
            try TLSServer(authority, certificate: authority.issue("other", subjectAlternativeName: "DNS:elsewhere.example")),
            try TLSServer(authority, certificate: authority.selfSigned()),
        ]
        let subjects = ["CN=good", "CN=old", "CN=other", "CN=Nobody"]
        let codes: [TransferFailure.Code?] = [nil, .certificateExpired, .certificateNameMismatch, .certificateUntrusted]
        let requests = try servers.map { try wanted($0.port) }
        for index in [0, 1, 0, 2, 0, 3, 0] { #expect(await engine.transfer(requests[index]).code == codes[index]) }
        for (index, reports) in await all(requests, times: 20).enumerated() {
            #expect(reports.allSatisfy { $0.code == codes[index] && $0.certificates.first?.subject == subjects[index] })
            #expect(reports.allSatisfy { ($0.refusedCertificate?.subject == subjects[index]) == [1, 3].contains(index) })
        }
        #expect(engine.handshakes.contextsMade == 1)
    }

    @Test func eachConnectionTrustsItsOwnAuthoritiesAlone() async throws {
        let stranger = try TestAuthority()
        let ports = [
            try TLSServer(authority, certificate: authority.issue("ours")),
            try TLSServer(stranger, certificate: stranger.issue("theirs")),
        ]
        let requests = [
            try wanted(ports[0].port), try wanted(ports[0].port, by: stranger),
            try wanted(ports[1].port), try wanted(ports[1].port, by: stranger),
        ]
        let codes: [TransferFailure.Code?] = [nil, .certificateUntrusted, .certificateUntrusted, nil]
        for (index, reports) in await all(requests, times: 20).enumerated() {
            #expect(reports.allSatisfy { $0.code == codes[index] })
        }
        #expect(engine.handshakes.contextsMade == 1)
    }

    @Test func eachConnectionShowsItsOwnCertificateAlone() async throws {
        let server = try TLSServer(
            authority, certificate: authority.issue("leaf"), options: "-www -verify 1 -CAfile ca.crt")
        let (mine, yours) = (try pair("mine"), try pair("yours"))
        let requests = [
            try wanted(server.port), try wanted(server.port) { $0.clientCertificate = mine },
            try wanted(server.port) { $0.clientCertificate = yours },
            try wanted(server.port) { ($0.clientCertificate, $0.connection) = (mine, .reuse) },
            try wanted(server.port) { $0.connection = .reuse },
        ]
        let shown = [
            "no client certificate available", "Subject: CN=mine", "Subject: CN=yours", "Subject: CN=mine",
            "no client certificate available",
        ]
        for index in [0, 1, 0, 2, 4, 3, 0] {
            let text = await engine.transfer(requests[index]).text
            for words in Set(shown) { #expect(text.contains(words) == (words == shown[index])) }
        }
        for (index, reports) in await all(requests, times: 10).enumerated() {
            for words in Set(shown) { #expect(reports.allSatisfy { $0.text.contains(words) == (words == shown[index]) }) }
        }
    }

    /// libcurl doesn't say for which of its handles it asks for a context.
    @Test func nothingIsSharedWhileATransferWithACertificateOfOursIsUnderWay() async throws {
        let server = try TLSServer(authority, certificate: authority.issue("leaf"))
        let hasHello = Watched(false)
        let silent = try ConnectionServer {
            _ = $0.readSome()
            hasHello.change { $0 = true }
            $0.waitForClose()
        }
        let certificate = try pair("mine")
        let stuck = try wanted(silent.port) { $0.clientCertificate = certificate }
        let task = Task { await engine.transfer(stuck) }
        try await hasHello.until { $0 }
        #expect(engine.handshakes.contextsMade == 1)
        for _ in 0..<3 { #expect(await engine.transfer(try wanted(server.port)).status == 200) }
        #expect(engine.handshakes.contextsMade == 4)
        task.cancel()
        #expect(await task.value.code == .cancelled)
        for _ in 0..<3 { #expect(await engine.transfer(try wanted(server.port)).status == 200) }
        #expect(engine.handshakes.contextsMade == 5)
    }

    @Test func eachConnectionOffersItsOwnVersionsOfHTTP() async throws {
        try authority.folder.write("ok", to: "page")
        let nginx = try Nginx(authority)
        let requests = try [TransferRequest.HTTPVersion.http1, .http2].map { version in
            try request("https://127.0.0.1:\(nginx.port)/page") { ($0.caFile, $0.httpVersion) = (authority.bundle, version) }
        }
        for (index, reports) in await all(requests, times: 20).enumerated() {
            #expect(reports.allSatisfy { $0.httpVersion == [1.1, 2][index] })
        }
        #expect(engine.handshakes.contextsMade == 1)
    }

    @Test func aHandshakeThatWasCutOffLeavesNothingToTheNext() async throws {
        let server = try TLSServer(authority, certificate: authority.issue("leaf"))
        let plain = try ConnectionServer { $0.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") }
        let deaf = try ConnectionServer { $0.reset() }
        for _ in 0..<3 {
            #expect(await engine.transfer(try wanted(plain.port)).certificates.isEmpty)
            #expect(await engine.transfer(try wanted(deaf.port)).certificates.isEmpty)
            let report = await engine.transfer(try wanted(server.port))
            #expect(report.failure == nil && report.certificates.map(\.subject) == ["CN=leaf"])
        }
        #expect(engine.handshakes.contextsMade == 1)
    }

    /// With the engine goes what it shared, and the connection that still has it.
    @Test func anEngineEndsWithKeptConnectionsOpen() async throws {
        let server = try TLSServer(authority, certificate: authority.issue("leaf"), options: "-WWW")
        try authority.folder.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", to: "page")
        let page = try request("https://127.0.0.1:\(server.port)/page") {
            ($0.caFile, $0.connection) = (authority.bundle, .reuse)
        }
        let report = await engine.transfer(page)
        await engine.shutDown()
        #expect(report.status == 200 && report.certificates.first?.names.count == 2)
    }
}
