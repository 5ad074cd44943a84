import Synchronization
import TestSupport
import Testing

@testable import Web

@Suite struct PagesRouteTests {
    @Test func aPageMayLoadNothingFromElsewhereAndIsEscaped() async throws {
        try await withServer { port in
            let answer = try await ask(port, "GET", "/")
            #expect(answer.headers["content-type"] == "text/html; charset=utf-8")
            #expect(
                answer.headers["content-security-policy"]
                    == "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
            #expect(answer.headers["x-content-type-options"] == "nosniff")
            #expect(answer.headers["cache-control"] == "private, no-cache")
            #expect(answer.headers["etag"]?.hasPrefix("W/\"") == true)
            #expect(answer.text.contains("0.1.0&lt;&amp;") && !answer.text.contains("style="))
        }
    }

    @Test func whoHasThePageAlreadyGetsNoSecondOne() async throws {
        let (version, made) = (Counter(), Counter())
        let pages = PageSource.sample(version: { version.value }, made: { made.count() })
        try await withServer(pages: pages) { port in
            let first = try await ask(port, "GET", "/")
            let tag = try #require(first.headers["etag"])
            let again = try await ask(port, "GET", "/", ["If-None-Match": tag])
            #expect(again.status == 304 && again.text.isEmpty && again.headers["etag"] == tag)
            #expect(made.value == 1)
            // Something may have changed, but nothing that this page shows.
            version.count()
            try await expect(304, of: ask(port, "GET", "/", ["If-None-Match": tag]))
            #expect(made.value == 2)
            try await expect(200, of: ask(port, "GET", "/", ["If-None-Match": "W/\"other\""]))
            try await expect(200, of: ask(port, "GET", "/index.json", ["If-None-Match": tag]))
        }
    }

    @Test func aPageThatRefreshesItselfSaysSo() async throws {
        try await withServer { port in
            let (usual, often) = (try await ask(port, "GET", "/?refresh=30").text, try await ask(port, "GET", "/?refresh=0").text)
            #expect(usual.contains("<meta http-equiv=\"refresh\" content=\"30\">"))
            #expect(often.contains("content=\"5\">"))
        }
    }

    @Test func aTwinIsJSON() async throws {
        try await withServer { port in
            let answer = try await ask(port, "GET", "/index.json")
            #expect(answer.headers["content-type"] == "application/json")
            #expect(
                answer.text.contains("\"kind\":\"overview\"")
                    && answer.text.contains("\"generated_at\":\"1970-01-01T00:00:00.000Z\""))
        }
    }

    @Test(arguments: [
        ("/?q=1", 400), ("/targets?status=broken", 400), ("/targets?x=%zz", 400),
        ("/targets?q=" + String(repeating: "x", count: 2100), 400), ("/targets/a/b", 404), ("/incidents/7", 404),
    ])
    func whatNamesNoPageIsRefused(_ path: String, _ status: Int) async throws {
        try await withServer { port in try await expect(status, of: ask(port, "GET", path)) }
    }

    @Test func anAssetIsForeverAndAnotherVersionIsNotThere() async throws {
        try await withServer { port in
            let page = try await ask(port, "GET", "/").text
            let path = try #require(page.firstMatch(of: /\/assets\/style\.[0-9a-f]+\.css/)).0
            let answer = try await ask(port, "GET", String(path))
            #expect(answer.headers["cache-control"] == "public, max-age=31536000, immutable")
            #expect(answer.headers["content-type"] == "text/css; charset=utf-8")
            #expect(answer.text.utf8.count <= 16 << 10)
            try await expect(404, of: ask(port, "GET", "/assets/style.0000000000000000.css"))
            let script = try #require(page.firstMatch(of: /\/assets\/script\.[0-9a-f]+\.js/)).0
            let code = try await ask(port, "GET", String(script)).text
            #expect(code.utf8.count <= 8 << 10)
        }
    }

    @Test(arguments: [
        (true, false, false, true), (false, true, false, true), (false, false, true, true), (false, false, false, false),
    ])
    func pagesAreForThisMachineForWhoHasAPasswordOrForAll(
        _ isLoopback: Bool, _ isAuthenticated: Bool, _ isOpen: Bool, _ isAdmitted: Bool
    ) {
        #expect(PagesRoute.admits(isLoopback: isLoopback, isAuthenticated: isAuthenticated, isOpen: isOpen) == isAdmitted)
    }

    @Test(arguments: ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
    func whatAProxyPassedOnIsNotFromThisMachine(field: String) async throws {
        try await withServer { port in
            try await expect(403, of: ask(port, "GET", "/", [field: "198.51.100.7"]))
            try await expect(200, of: ask(port, "GET", "/metrics", [field: "198.51.100.7"]))
        }
    }

    @Test func pastTheBoundOneIsToldToComeAgainAndScrapesGoOn() async throws {
        let (gate, begun) = (Gate(), Counter())
        let pages = PageSource.sample(made: {
            begun.count()
            await gate.wait()
        })
        try await withServer(pages: pages) { port in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<16 { group.addTask { try await ask(port, "GET", "/").status } }
                while begun.value < 16 { await Task.yield() }
                let refused = try await ask(port, "GET", "/")
                #expect(refused.status == 503 && refused.headers["retry-after"] == "1")
                try await expect(200, of: ask(port, "GET", "/metrics"))
                gate.open()
                for try await status in group { #expect(status == 200) }
            }
            try await expect(200, of: ask(port, "GET", "/"))
        }
    }
}

final class Counter: Sendable {
    private let number = Mutex(0)
    var value: Int { number.withLock { $0 } }
    func count() { number.withLock { $0 += 1 } }
}

/// Closed until it is opened, for all who wait.
final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            defer { state = (true, []) }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
