import Exposition
import Health
import TestSupport
import Testing

@testable import Web

@Suite struct HealthAndRulesTests {
    @Test func livesAndIsReady() async throws {
        try await withServer { port in
            let healthy = try await ask(port, "GET", "/-/healthy")
            #expect(healthy.text == "healthy\n")
            try await expect(200, of: ask(port, "GET", "/-/ready"))
        }
    }

    @Test func saysWhatIsNotReady() async throws {
        try await withServer(missing: ["no list of client c1 yet", "history\u{1b} is not writable"]) { port in
            let answer = try await ask(port, "GET", "/-/ready")
            #expect(answer.status == 503)
            #expect(answer.text == "not ready:\n- no list of client c1 yet\n- history\\u{1b} is not writable\n")
        }
    }

    @Test func anUnknownPathIsNotFoundAndAWrongMethodIsToldTheRightOne() async throws {
        try await withServer { port in
            try await expect(404, of: ask(port, "GET", "/nothing"))
            // A person gets a page that leads on.
            let page = try await ask(port, "GET", "/nothing", ["Accept": "text/html,*/*"])
            #expect(
                page.status == 404 && page.text.contains("No page has this address.") && page.text.contains("href=\"/targets\""))
            for path in ["/metrics", "/", "/targets/a/b"] {
                let answer = try await ask(port, "POST", path)
                #expect(answer.status == 405)
                #expect(answer.headers["allow"] == "GET, HEAD")
            }
        }
    }

    @Test(
        arguments: [
            ("127.0.0.1:10115", 200), ("[::1]", 200), ("localhost", 200), ("MONITOR:1", 200), ("evil.example", 421), (nil, 400),
        ] as [(String?, Int)])
    func everyRouteIsBehindTheRuleOnHost(_ host: String?, _ status: Int) async throws {
        try await withServer { port in
            for path in ["/", "/index.json", "/wall", "/metrics", "/-/healthy"] {
                try await expect(status, of: ask(port, "GET", path, host: host))
            }
        }
    }

    @Test func twoHostsAreAsBadAsNone() async throws {
        try await withServer { port in
            let request = "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
            try await expect(400, of: exchange(port, request))
        }
    }

    /// Of two requests that come together the second has an answer only where the connection stays.
    @Test(arguments: [
        ("1.0", "", false), ("1.0", "Connection: keep-alive\r\n", false), ("1.1", "", true),
        ("1.1", "Connection: Close\r\n", false), ("1.1", "Connection: x, close\r\n", false),
        ("1.1", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n", false),
    ])
    func theConnectionEndsWhereTheClientWaitsForThat(_ version: String, _ option: String, _ stays: Bool) async throws {
        try await withServer { port in
            let first = "GET /-/healthy HTTP/\(version)\r\nHost: localhost\r\n\(option)\r\n"
            let answer = try await exchange(port, first + "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            #expect(answer.status == 200)
            #expect(answer.headers["connection"] == (stays ? nil : "close"))
            #expect(answer.text.contains("HTTP/1.1") == stays, "\(answer.text)")
        }
    }

    @Test func aBodyThatIsTooLargeIsRefusedWhileItComes() async throws {
        try await withServer(admin: true) { port in
            let head = "POST /-/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n"
            let answer = try await exchange(port, head + String(repeating: "x", count: 200_000))
            #expect(answer.status == 413)
        }
    }
}

@Suite struct ExpectTests {
    private func ask(_ length: Int, _ more: String = "") -> String {
        "POST /-/reload HTTP/1.1\r\nHost: localhost\r\nExpect: 100-Continue\r\nContent-Length: \(length)\r\n\(more)\r\n"
    }

    @Test func whoWaitsToBeAskedForTheBodyIsAskedFor() async throws {
        let asked = AskedFor()
        try await withServer(admin: true, asked: asked) { port in
            try await onThread {
                let connection = try Connection(port: port)
                defer { connection.close() }
                connection.send(ask(5))
                #expect(connection.readSome() == "HTTP/1.1 100 Continue\r\n\r\n")
                connection.send("hello")
                #expect(connection.readSome()?.hasPrefix("HTTP/1.1 200 OK\r\n") == true)
                // The connection goes on.
                connection.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                #expect(String(decoding: try connection.readToEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 200 OK\r\n"))
            }
        }
        #expect(asked.all == ["reload false"])
    }

    @Test func whoDoesNotWaitIsNotAskedFor() async throws {
        try await withServer(admin: true) { port in
            let answer = try await exchange(port, ask(5, "Connection: close\r\n") + "hello")
            #expect(answer.status == 200)
        }
    }

    @Test func aRefusalComesWithoutTheBodyAndEndsTheConnection() async throws {
        let security = WebSecurity()
        var wanted = WebSecurity.Wanted()
        wanted.users = ["prometheus": "$2y$04$Dl7mg5F5ZHMOvqTb8ZTnzOEyJsZ4xI8Vt0Bz3GmG7JsqL6tTqcN5K"]
        try security.replace(wanted)
        for (length, security, status) in [(65_537, nil, 413), (5, security, 401)] {
            try await withServer(admin: true, security: security) { port in
                let answer = try await exchange(port, ask(length))
                #expect(answer.status == status)
                #expect(answer.headers["connection"] == "close")
            }
        }
    }
}

@Suite struct AdminTests {
    private static let changes = ["/-/reload", "/-/reload?accept=1", "/-/sync", "/-/sync?accept=1"]

    @Test func withoutAdminTheAnswerSaysWhatToSet() async throws {
        let asked = AskedFor()
        try await withServer(asked: asked) { port in
            for path in Self.changes {
                let answer = try await ask(port, "POST", path)
                #expect(answer.status == 403)
                #expect(answer.text == "this needs admin: true in the configuration\n")
            }
        }
        #expect(asked.all.isEmpty)
    }

    @Test func withAdminTheDaemonIsAskedFor() async throws {
        let asked = AskedFor()
        try await withServer(admin: true, asked: asked) { port in
            for path in Self.changes {
                let answer = try await ask(port, "POST", path)
                #expect(answer.status == 200)
                #expect(answer.text == "it is done\n")
            }
        }
        #expect(asked.all == ["reload false", "reload true", "sync false", "sync true"])
    }

    @Test func aFailureIsToldWithItsLines() async throws {
        try await withServer(admin: true, action: .failed("a.yaml:3:1: unknown key\nb\u{1b}")) { port in
            let answer = try await ask(port, "POST", "/-/reload")
            #expect(answer.status == 500)
            #expect(answer.text == "a.yaml:3:1: unknown key\nb\\u{1b}\n")
        }
    }

    @Test func nothingIsChangedByLooking() async throws {
        let asked = AskedFor()
        try await withServer(admin: true, asked: asked) { port in
            for path in Self.changes {
                let answer = try await ask(port, "GET", path)
                #expect(answer.status == 405)
                #expect(answer.headers["allow"] == "POST")
            }
        }
        #expect(asked.all.isEmpty)
    }

    @Test(
        arguments: [
            ["Origin": "http://evil.example"], ["Origin": "null"], ["Sec-Fetch-Site": "cross-site"],
            ["Sec-Fetch-Site": "same-site"],
        ])
    func nothingIsChangedByOtherSitesPages(_ headers: [String: String]) async throws {
        let asked = AskedFor()
        try await withServer(admin: true, asked: asked) { port in
            for path in Self.changes { try await expect(403, of: ask(port, "POST", path, headers)) }
            try await expect(200, of: ask(port, "GET", "/metrics", headers))
        }
        #expect(asked.all.isEmpty)
    }

    @Test func anUnknownWayToSyncIsRefused() async throws {
        let asked = AskedFor()
        try await withServer(admin: true, asked: asked) { port in
            try await expect(400, of: ask(port, "POST", "/-/sync?accept=yes"))
        }
        #expect(asked.all.isEmpty)
    }
}
