import Curl
import Health
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import Web

@Suite(.timeLimit(.minutes(5))) struct SecurityTests {
    /// `htpasswd -nbBC 4 prom 'pa:ss wörd'`
    static let quick = "$2y$04$KWMNq7MiNSa3ti7YkC1WTez0IMawkYbmC3MXDp6dLJJ1AalsqJuSO"
    /// `htpasswd -nbBC 10 slow secret`
    static let slow = "$2y$10$nOHU/baGaxAWpZpnr3RriOZQVQ8KpbV4I5pnhN3ID71suCwBmh.W."

    private func security(users: [String: String]) throws -> WebSecurity {
        var wanted = WebSecurity.Wanted()
        wanted.users = users
        wanted.headers = ["Strict-Transport-Security": "max-age=1"]
        let security = WebSecurity()
        try security.replace(wanted)
        return security
    }

    private func basic(_ pair: String) -> [String: String] { ["Authorization": "Basic \(base64(pair))"] }

    @Test func withoutUsersNobodyIsAskedFor() async throws {
        try await withServer(security: try security(users: [:])) { port in
            let answer = try await ask(port, "GET", "/-/healthy")
            #expect(answer.status == 200)
            #expect(answer.headers["strict-transport-security"] == "max-age=1")
            #expect(answer.headers["date"]?.hasSuffix(" GMT") == true)
        }
    }

    @Test func everyPathIsBehindThePassword() async throws {
        try await withServer(admin: true, security: try security(users: ["prom": Self.quick])) { port in
            for path in ["/", "/metrics", "/-/healthy", "/-/ready", "/nothing"] {
                let answer = try await ask(port, "GET", path)
                #expect(answer.status == 401)
                #expect(answer.headers["www-authenticate"] == "Basic realm=\"rangefinder\", charset=\"UTF-8\"")
            }
            for _ in 0..<2 { try await expect(200, of: ask(port, "GET", "/metrics", basic("prom:pa:ss wörd"))) }
            try await expect(200, of: ask(port, "POST", "/-/reload", basic("prom:pa:ss wörd")))
            for wrong in ["prom:pa:ss word", "prom:", "nobody:pa:ss wörd", "prom", ":", "prom:pa:ss wörd\u{0}"] {
                try await expect(401, of: ask(port, "GET", "/metrics", basic(wrong)))
            }
            for header in ["Basic", "Basic !!!", "Bearer x", "Basic /////w==", ""] {
                try await expect(401, of: ask(port, "GET", "/metrics", ["Authorization": header]))
            }
        }
    }

    @Test func aRefusalOfAHeadHasNoBody() async throws {
        try await withServer(security: try security(users: ["prom": Self.quick])) { port in
            let answer = try await ask(port, "HEAD", "/metrics")
            #expect(answer.status == 401 && answer.text.isEmpty)
        }
    }

    @Test func aRightPasswordIsRememberedAndIsNotKeptWaitingByWrongOnes() async {
        let (passwords, here) = (Passwords(), EmbeddedChannel())
        passwords.replace(["slow": Self.slow])
        #expect(await passwords.check("slow", "secret", from: here) == .right)
        let answers = await withTaskGroup(of: (Bool, Passwords.Answer).self) { group in
            for number in 0..<40 { group.addTask { (false, await passwords.check("slow", "wrong \(number)", from: here)) } }
            for _ in 0..<10 { group.addTask { (true, await passwords.check("slow", "secret", from: here)) } }
            return await group.reduce(into: [(Bool, Passwords.Answer)]()) { $0.append($1) }
        }
        #expect(answers.filter(\.0).allSatisfy { $0.1 == .right })
        let wrong = answers.filter { !$0.0 }.map(\.1)
        #expect(!wrong.contains(.right))
        #expect(wrong.contains(.busy) && wrong.contains(.wrong))
        // What was right under another hash is right no longer.
        passwords.replace(["slow": Self.quick])
        #expect(await passwords.check("slow", "secret", from: here) == .wrong)
    }

    @Test func whoGuessesLeavesRoomForTheOthers() async throws {
        let passwords = Passwords()
        passwords.replace(["slow": Self.slow])
        func channel(_ address: String) throws -> EmbeddedChannel {
            let channel = EmbeddedChannel()
            channel.remoteAddress = try SocketAddress(ipAddress: address, port: 1)
            return channel
        }
        let (stranger, prometheus) = (try channel("192.0.2.1"), try channel("192.0.2.2"))
        await withTaskGroup(of: Passwords.Answer.self) { group in
            for number in 0..<40 { group.addTask { await passwords.check("slow", "wrong \(number)", from: stranger) } }
            // Refused at once, all that are above the stranger's share: the queue is as full as the stranger can make it.
            while await group.next() != .busy {}
            #expect(await passwords.check("slow", "secret", from: prometheus) == .right)
        }
    }

    /// bcrypt takes 2 to the power of its cost.
    @Test func aWrongPasswordTakesTheSameWorkForEveryName() {
        let users = ["quick": Self.quick, "slow": Self.slow]
        for names in [users, ["quick": Self.quick], ["slow": Self.slow]] {
            let work = ["quick", "slow", "nobody", ""].map { name in
                let work = Passwords.work(for: name, among: names)
                return ([work.hash] + work.rest).reduce(0) { $0 + (1 << (Int($1.split(separator: "$")[1]) ?? -1)) }
            }
            #expect(Set(work).count == 1 && work[0] == (names["slow"] == nil ? 1 << 4 : 1 << 10))
        }
    }

    @Test func theWorkThatIsDoneForItsTimeAloneIsReallyDone() throws {
        let rest = Passwords.work(for: "quick", among: ["quick": Self.quick, "slow": Self.slow]).rest
        #expect(rest.count == 6)
        for setting in rest {
            let made = try #require(Passwords.crypt("x", setting))
            #expect(String(decoding: made, as: UTF8.self).hasPrefix(setting.prefix(29)))
        }
    }

    @Test func aNameThatIsNotThereIsWrongEvenWithSomebodysPassword() async {
        let (passwords, here) = (Passwords(), EmbeddedChannel())
        passwords.replace(["quick": Self.quick, "slow": Self.slow])
        #expect(await passwords.check("nobody", "secret", from: here) == .wrong)
        #expect(await passwords.check("quick", "pa:ss wörd", from: here) == .right)
        #expect(await passwords.check("quick", "secret", from: here) == .wrong)
    }

    // MARK: TLS

    private func tls(_ authority: TestAuthority, _ file: String, clients: WebSecurity.Wanted.Clients? = nil) throws
        -> WebSecurity.Wanted
    {
        var wanted = WebSecurity.Wanted()
        var tls = WebSecurity.Wanted.TLS(
            certificateChain: try authority.folder.read("\(file).crt"),
            privateKey: Secret(try authority.folder.read("\(file).key")))
        tls.clients = clients
        wanted.tls = tls
        return wanted
    }

    private func get(_ port: Int, _ authority: TestAuthority, _ client: (chain: String, key: String)? = nil) async throws
        -> TransferReport
    {
        let engine = try TransferEngine()
        var request = TransferRequest(url: try #require(URLParts("https://127.0.0.1:\(port)/-/healthy")))
        request.caFile = authority.bundle
        request.clientCertificate = client
        let report = await engine.transfer(request)
        await engine.shutDown()
        return report
    }

    @Test func aCertificateCanBeReplacedWhileItListens() async throws {
        let authority = try TestAuthority()
        let (first, second) = (
            try authority.issue("one", to: authority.stamp(days: 10)), try authority.issue("two", to: authority.stamp(days: 20))
        )
        let security = WebSecurity()
        try security.replace(tls(authority, first))
        let wanted = try tls(authority, second)
        try await withServer(security: security) { port in
            let before = try await get(port, authority)
            #expect(before.status == 200)
            let plain = try? await exchange(port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(plain == nil)
            try security.replace(wanted)
            let after = try await get(port, authority)
            #expect(after.status == 200)
            #expect(before.certificates.first?.subject != after.certificates.first?.subject)
            // A bad one changes nothing.
            var bad = wanted
            bad.tls?.certificateChain = "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"
            #expect(throws: (any Error).self) { try security.replace(bad) }
            let again = try await get(port, authority)
            #expect(again.status == 200)
        }
    }

    @Test func aClientMayHaveToShowACertificate() async throws {
        let (authority, others) = (try TestAuthority(), try TestAuthority())
        let (server, client, stranger) = (try authority.issue("s"), try authority.issue("c"), try others.issue("x"))
        let security = WebSecurity()
        try security.replace(
            tls(authority, server, clients: .init(authorities: try authority.folder.read("ca.crt"), isRequired: true)))
        func pair(_ authority: TestAuthority, _ file: String) throws -> (chain: String, key: String) {
            (try authority.folder.read("\(file).crt"), try authority.folder.read("\(file).key"))
        }
        let (ours, theirs) = (try pair(authority, client), try pair(others, stranger))
        try await withServer(security: security) { port in
            let answers = [
                try await get(port, authority), try await get(port, authority, theirs), try await get(port, authority, ours),
            ]
            #expect(answers.map(\.status) == [nil, nil, 200])
        }
    }

    /// What a client by OpenSSL agrees on with it, or nil.
    private func cipher(_ port: Int, _ offer: String) async throws -> String? {
        let words = ["s_client", "-connect", "127.0.0.1:\(port)", "-brief"] + offer.split(separator: " ").map(String.init)
        let ended = try await onThread { try ChildProcess.run("/usr/bin/openssl", words, errors: .withOutput) }
        return ended.output.firstMatch(of: /Ciphersuite: (\S+)/).map { String($0.1) }
    }

    @Test(arguments: ["EC", "RSA"]) func onlyForwardSecretCiphersAreAgreedOn(kind: String) async throws {
        let authority = try TestAuthority()
        var file = try authority.issue("leaf")
        if kind == "RSA" {
            let words = "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=rsa -keyout rsa.key -out rsa.crt"
            let made = try await onThread {
                try ChildProcess.run("/usr/bin/openssl", words.split(separator: " ").map(String.init), in: authority.folder.path)
            }
            #expect(made.status == 0)
            file = "rsa"
        }
        let security = WebSecurity()
        try security.replace(tls(authority, file))
        try await withServer(security: security) { port in
            for name in ["AES128-SHA", "AES256-SHA", "AES128-GCM-SHA256", "AES256-GCM-SHA384", "kRSA:kPSK", "ECDHE+SHA1"] {
                let agreed = try await cipher(port, "-tls1_2 -cipher \(name)")
                #expect(agreed == nil, "\(name)")
            }
            let (old, new) = (try await cipher(port, "-tls1_2"), try await cipher(port, "-tls1_3"))
            #expect(old?.hasPrefix("ECDHE-") == true && new?.hasPrefix("TLS_") == true)
        }
    }

    @Test func headersHaveABound() async throws {
        try await withServer { port in
            try await expect(400, of: ask(port, "GET", "/-/healthy", ["X": String(repeating: "x", count: 40_000)]))
            try await expect(
                400, of: ask(port, "GET", "/-/healthy", Dictionary(uniqueKeysWithValues: (0..<200).map { ("X-\($0)", "x") })))
        }
    }
}

/// RFC 4648.
private func base64(_ text: String) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    let bytes = Array(text.utf8)
    return stride(from: 0, to: bytes.count, by: 3).map { start in
        let part = bytes[start..<min(start + 3, bytes.count)]
        let bits = (0..<3).reduce(0) { $0 << 8 | Int(start + $1 < bytes.count ? bytes[start + $1] : 0) }
        return String((0..<4).map { $0 <= part.count ? letters[bits >> (18 - 6 * $0) & 63] : "=" })
    }.joined()
}
