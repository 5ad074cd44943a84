import Foundation
import Health
import TestSupport
import Testing

@testable import Curl
@testable import Probing

/// What is wrong with a chain, one row for each thing that OpenSSL can say of it, by real certificates over a real handshake.
@Suite(.timeLimit(.minutes(5))) struct ChainTests {
    /// A server's certificate, the certificates that it sends behind it, and options of `openssl s_server`.
    struct Shown {
        var leaf: String
        var sent: [String] = []
        var options = ""
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let fault: TLSFault
        let reason: Reason
        /// What the sentence must say.
        let words: [String]
        /// Of a stranger, whom nobody knows.
        var isStrangers = false
        let make: @Sendable (TestAuthority) throws -> Shown

        var testDescription: String { "\(fault)" }
    }

    static let rows = [
        Row(fault: .expired, reason: .certificateExpired, words: ["certificate expired 5 days ago", "CN=old, issuer"]) { it in
            Shown(leaf: try it.issue("old", daysLeft: -5))
        },
        Row(fault: .expired, reason: .certificateExpired, words: ["certificate expired 5 days ago", "CN=middle, issuer"]) { it in
            let middle = try it.authority("middle", daysLeft: -5)
            return Shown(leaf: try it.issue("leaf", by: middle), sent: [middle])
        },
        Row(fault: .nameMismatch, reason: .certificateNameMismatch, words: ["not for 127.0.0.1 but for other.example"]) { it in
            Shown(leaf: try it.issue("leaf", extensions: ["subjectAltName=DNS:other.example"]))
        },
        Row(
            fault: .nameMismatch, reason: .certificateNameMismatch,
            words: ["has 127.0.0.1 as the name of a host and not as an address", "issue it with IP:127.0.0.1"]
        ) { it in
            Shown(leaf: try it.issue("leaf", extensions: ["subjectAltName=DNS:127.0.0.1"]))
        },
        untrusted(.selfSigned, "not signed by a known authority but by itself", "ca_file") { Shown(leaf: try $0.selfSigned()) },
        untrusted(.unknownRoot, isStrangers: true, "its chain ends in a root that is not known", "CN=Test-Authority", "ca_file") {
            it in
            Shown(leaf: try it.issue("leaf"), sent: ["ca"])
        },
        untrusted(.unknownAuthority, isStrangers: true, "is not signed by a known authority (", "ca_file") { it in
            let middle = try it.authority("middle")
            return Shown(leaf: try it.issue("leaf", by: middle), sent: [middle])
        },
        untrusted(.intermediateMissing, "its issuer is neither known nor sent", "issuer CN=middle", "intermediate") { it in
            Shown(leaf: try it.issue("leaf", by: try it.authority("middle")))
        },
        untrusted(.keyTooShort, "has a key that is too short", "2048 bits") { it in
            Shown(leaf: try it.issue("leaf", key: "rsa:1024"), options: weak)
        },
        untrusted(.authorityKeyTooShort, "an authority whose key is too short") { it in
            let middle = try it.authority("middle", key: "rsa:1024")
            return Shown(leaf: try it.issue("leaf", by: middle), sent: [middle], options: weak)
        },
        untrusted(.signatureTooWeak, "a signature that is too weak", "SHA-1") { it in
            Shown(leaf: try it.issue("leaf", digest: "sha1"), options: weak)
        },
        untrusted(.notForServers, "not meant for servers", "CN=leaf", "serverAuth") { it in
            Shown(leaf: try it.issue("leaf", extensions: [names, "extendedKeyUsage=clientAuth"]))
        },
        untrusted(.authorityNotForServers, "authority that may not sign for servers", "CN=middle") { it in
            let middle = try it.authority("middle", more: ["extendedKeyUsage=clientAuth"])
            return Shown(leaf: try it.issue("leaf", by: middle), sent: [middle])
        },
        untrusted(.issuerIsNoAuthority, "signed by a certificate that is no authority's") { it in
            let middle = try it.issue("middle", extensions: ["basicConstraints=critical,CA:FALSE"])
            return Shown(leaf: try it.issue("leaf", by: middle), sent: [middle])
        },
        untrusted(.pathTooLong, "more authorities above it than one of them allows") { it in
            let upper = try it.authority("upper", constraints: "critical,CA:TRUE,pathlen:0")
            let lower = try it.authority("lower", by: upper)
            return Shown(leaf: try it.issue("leaf", by: lower), sent: [lower, upper])
        },
        untrusted(.nameNotPermitted, "a name for which an authority above it may not sign", "name constraints") { it in
            let middle = try it.authority("middle", more: ["nameConstraints=critical,permitted;DNS:example.org"])
            return Shown(leaf: try it.issue("leaf", by: middle), sent: [middle])
        },
        untrusted(.nameNotPermitted, "a name for which an authority above it may not sign", "name constraints") { it in
            let middle = try it.authority("middle", more: ["nameConstraints=critical,excluded;DNS:localhost"])
            return Shown(leaf: try it.issue("leaf", by: middle), sent: [middle])
        },
        untrusted(.nameConstraintsUnreadable, "name constraints can't be judged") { it in
            let middle = try it.authority("middle", more: ["nameConstraints=critical,permitted;RID:1.2.3"])
            return Shown(
                leaf: try it.issue("leaf", by: middle, extensions: ["subjectAltName=IP:127.0.0.1,RID:1.2.3.4"]), sent: [middle])
        },
        untrusted(.signatureWrong, "a signature that is wrong") { it in
            let leaf = try it.issue("leaf")
            try spoilSignature(of: leaf, it)
            return Shown(leaf: leaf)
        },
        untrusted(.criticalExtensionUnknown, "a critical extension that OpenSSL doesn't know") { it in
            Shown(leaf: try it.issue("leaf", extensions: [names, "1.2.3.4=critical,ASN1:UTF8String:x"]))
        },
    ]

    private static let names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    private static let weak = "-cipher DEFAULT@SECLEVEL=0"

    private static func untrusted(
        _ fault: TLSFault, isStrangers: Bool = false, _ words: String...,
        make: @escaping @Sendable (TestAuthority) throws -> Shown
    ) -> Row {
        Row(fault: fault, reason: .certificateUntrusted, words: words, isStrangers: isStrangers, make: make)
    }

    @Test(arguments: rows) func isToldByAReasonAndASentenceOfItsOwn(_ row: Row) async throws {
        let (authority, stranger) = (try TestAuthority(), try TestAuthority())
        let server = try Self.serve(authority, row.make(authority))
        var bench = try Bench()
        bench.policy.caFile = (row.isStrangers ? stranger : authority).bundle
        let result = await bench.probe("https://127.0.0.1:\(server.port)").result
        #expect(result.outcome == .bad(row.reason), "\(result.sentence)")
        for words in row.words { #expect(result.sentence.contains(words), "\(result.sentence)") }
    }

    @Test func aRootThatThisMachineRejectsIsSaidSo() async throws {
        let authority = try TestAuthority()
        let made = try ChildProcess.run(
            "/usr/bin/openssl",
            "x509 -in ca.crt -addreject serverAuth -trustout -out rejected.pem".split(separator: " ").map(String.init),
            in: authority.folder.path)
        #expect(made.status == 0)
        let server = try Self.serve(authority, Shown(leaf: authority.issue("leaf")))
        var bench = try Bench()
        bench.policy.caFile = authority.folder.file("rejected.pem")
        let result = await bench.probe("https://127.0.0.1:\(server.port)").result
        #expect(result.outcome == .bad(.certificateUntrusted))
        #expect(result.sentence.contains("is rejected by the authorities of this machine"), "\(result.sentence)")
    }

    static func serve(_ authority: TestAuthority, _ shown: Shown, _ answer: String = "-www") throws -> TLSServer {
        let chain = shown.sent.isEmpty ? "" : " -cert_chain \(try authority.chain(shown.sent))"
        return try TLSServer(authority, certificate: shown.leaf, options: "\(answer)\(chain) \(shown.options)")
    }

    /// One bit at the end of the DER form.
    private static func spoilSignature(of file: String, _ authority: TestAuthority) throws {
        let lines = try authority.folder.read("\(file).crt").split(separator: "\n").filter { !$0.hasPrefix("-----") }
        var bytes = try #require(Data(base64Encoded: lines.joined()))
        bytes[bytes.count - 1] ^= 1
        let text = bytes.base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        try authority.folder.write("-----BEGIN CERTIFICATE-----\n\(text)\n-----END CERTIFICATE-----\n", to: "\(file).crt")
    }
}

/// Which certificates are held against a target.
@Suite(.timeLimit(.minutes(5))) struct VerifiedChainTests {
    private let authority: TestAuthority
    private var bench: Bench

    init() throws {
        authority = try TestAuthority()
        bench = try Bench()
        bench.policy.caFile = authority.bundle
    }

    private static let redirect = "HTTP/1.1 301 Moved\r\nLocation: %@\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    /// The root that is trusted, signed by another one in whose time it was new: servers go on sending it for years.
    @Test(arguments: [5.0, -5.0]) func aCrossCertificateThatIsNotNeededChangesNothing(daysLeft: Double) async throws {
        let old = try authority.authority("old-root", daysLeft: daysLeft)
        let cross = try authority.authority("Test-Authority", key: "ca.key", by: old, daysLeft: daysLeft)
        let middle = try authority.authority("middle")
        let leaf = try authority.issue("leaf", by: middle, daysLeft: 20)
        let server = try ChainTests.serve(authority, .init(leaf: leaf, sent: [middle, cross]))
        let result = await bench.probe("https://127.0.0.1:\(server.port)").result
        #expect(result.outcome == .good, "\(result.sentence)")
        let (judged, presented) = (try days(result.facts.certificateExpiry), try days(result.facts.presentedExpiry))
        #expect(judged > 19 && judged < 21)
        #expect(abs(presented - daysLeft) < 1)
    }

    @Test func anIntermediateCertificateThatIsNeededCounts() async throws {
        let middle = try authority.authority("middle", daysLeft: 5)
        let server = try ChainTests.serve(
            authority, .init(leaf: authority.issue("leaf", by: middle, daysLeft: 60), sent: [middle]))
        let result = await bench.probe("https://127.0.0.1:\(server.port)").result
        #expect(result.outcome == .poor(.certificateExpiring))
        #expect(result.sentence.contains("(CN=middle, issuer"), "\(result.sentence)")
    }

    @Test(arguments: [(5.0, 60.0), (60.0, 5.0)]) func theCertificateOfEachHopCounts(first: Double, second: Double) async throws {
        let (apex, www) = (try authority.issue("apex", daysLeft: first), try authority.issue("www", daysLeft: second))
        let last = try TLSServer(authority, certificate: www)
        try authority.folder.write(
            Self.redirect.replacingOccurrences(of: "%@", with: "https://localhost:\(last.port)/"), to: "page")
        let server = try TLSServer(authority, certificate: apex, options: "-HTTP")
        var bench = bench
        bench.policy.addressFamily = .v4
        let report = await bench.probe("https://127.0.0.1:\(server.port)", "/page")
        #expect(report.hops.count == 2)
        #expect(report.result.outcome == .poor(.certificateExpiring), "\(report.result.sentence)")
        let wanted =
            first < second ? "certificate of 127.0.0.1 expires in 4 days (CN=apex" : "certificate expires in 4 days (CN=www"
        #expect(report.result.sentence.contains(wanted), "\(report.result.sentence)")
        let left = try days(report.result.facts.certificateExpiry)
        #expect(left < 6)
    }

    @Test func anExpiredChainStillSaysByWhenItWasToBeRenewed() async throws {
        let server = try ChainTests.serve(authority, .init(leaf: authority.issue("leaf", daysLeft: -5)))
        let facts = await bench.probe("https://127.0.0.1:\(server.port)").result.facts
        let left = try days(facts.certificateExpiry)
        #expect(left > -6 && left < -4)
        #expect(facts.leaf == nil)
    }

    @Test func aChainThatIsRefusedHasNoExpiryThatIsJudged() async throws {
        let server = try ChainTests.serve(authority, .init(leaf: authority.selfSigned()))
        let facts = await bench.probe("https://127.0.0.1:\(server.port)").result.facts
        #expect(facts.certificateExpiry == nil && facts.presentedExpiry != nil && facts.leaf == nil)
    }

    private func days(_ moment: Timestamp?) throws -> Double {
        (try #require(moment).seconds - Date().timeIntervalSince1970) / 86_400
    }
}
