import Health
import TestSupport

extension HostileTargets {
    /// Those that send a probe elsewhere.
    static let redirects: [HostileCase] =
        [
            redirecting("redirects to itself", .tooManyRedirects, to: "/"),
            HostileCase("redirects to ever new places", .tooManyRedirects) { _ in
                let count = Counter()
                return try HostileServer { $0.redirect(to: "/\(count.next())") }
            },
            redirecting("redirects to file:", .redirectDenied, to: "file:///etc/passwd"),
            redirecting("redirects to gopher:", .redirectDenied, to: "gopher://127.0.0.1:70/_x"),
            redirecting("redirects to javascript:", .redirectDenied, to: "javascript:alert(1)"),
            redirecting("redirects to a denied address", .redirectDenied, to: "http://127.0.0.2:1/"),
            redirecting("redirects to a denied address in hexadecimal", .redirectDenied, to: "http://0x7f000002:1/"),
            redirecting("redirects to a denied address inside IPv6", .redirectDenied, to: "http://[::ffff:127.0.0.2]:1/"),
            redirecting("redirects to a denied address without a scheme", .redirectDenied, to: "//127.0.0.2:1/"),
            HostileCase(
                "redirects to a name of a denied address", .redirectDenied, names: ["denied.hostile": .addresses(["127.0.0.2"])]
            ) {
                _ in
                try HostileServer { $0.redirect(to: "http://denied.hostile:1/") }
            },
            redirecting("redirects with a password", .redirectDenied, to: "http://user:password@127.0.0.1:1/"),
            redirecting("redirects to control characters", .protocolError, to: "http://\u{1b}[31m\u{7}.hostile/"),
            redirecting("redirects to 50,000 characters", .protocolError, to: "/" + String(repeating: "a", count: 50_000)),
            HostileCase("redirects and says nothing there", .timeout, within: HostileCase.soon) { _ in
                try HostileServer {
                    $0.readRequest().hasPrefix("GET / ") ? $0.redirect(to: "/there", reads: false) : $0.waitForClose()
                }
            },
        ] + thieves

    /// Those that would like to see what was configured for another origin.
    private static let thieves = [301, 302, 307, 308].map { status in
        HostileCase("redirects secrets to another origin by \(status)", nil, policy: { $0.carrySecrets() }) { _ in
            let stranger = try LoopbackServer { _ in .http(200) }
            let server = try LoopbackServer { [url = stranger.url] _ in .http(status, headers: ["Location: \(url)/x"]) }
            var hosted = HostileServer(server.url, keeping: [server, stranger])
            hosted.waits = [server.untilQuiet, stranger.untilQuiet]
            hosted.complaints = {
                let seen = stranger.requests.map { "\($0)" }
                let stolen = seen.filter { $0.contains(secret) }.map { "a secret arrived elsewhere: \($0)" }
                return seen.isEmpty ? ["the other origin was not asked"] : stolen
            }
            return hosted
        }
    }

    fileprivate static let secret = "s3cret-of-the-hostile"

    private static func redirecting(_ name: String, _ reason: Reason, to location: String) -> HostileCase {
        HostileCase(name, reason) { _ in try HostileServer { $0.redirect(to: location) } }
    }
}

extension ProbePolicy {
    fileprivate mutating func carrySecrets() {
        method = "POST"
        headers = ["Authorization", "Cookie", "X-Api-Key"].map { Header(name: $0, value: .secret(Secret(HostileTargets.secret))) }
        body = .secret(Secret(HostileTargets.secret))
    }
}

extension Connection {
    fileprivate func redirect(to location: String, reads: Bool = true) {
        if reads { readRequest() }
        send("HTTP/1.1 302 Found\r\nLocation: \(location)\r\nContent-Length: 0\r\n\r\n")
    }
}
