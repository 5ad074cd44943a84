import Curl
import Health
import Testing

@testable import Probing

private func target(_ base: String, _ path: String) -> Target {
    Target(identity: TargetIdentity(clientID: "c", key: "t"), name: "n", baseURL: base, testPath: path, region: "r")
}

private func url(_ base: String, _ path: String, _ join: ProbePolicy.PathJoin = .resolve) -> String? {
    try? testURL(of: target(base, path), join: join).text
}

private func problem(_ base: String, _ path: String, _ join: ProbePolicy.PathJoin = .resolve) -> URLProblem? {
    do throws(URLProblem) {
        _ = try testURL(of: target(base, path), join: join)
        return nil
    } catch {
        return error
    }
}

@Suite struct TestURLTests {
    @Test(arguments: [
        ("https://api.stripe.com", "/v1/customers", "https://api.stripe.com/v1/customers"),
        // The document's own example of an update: appending would give /v2/v2/health.
        ("https://api.stripe.com/v2", "/v2/health", "https://api.stripe.com/v2/health"),
        ("https://host/a/b", "c", "https://host/a/c"),
        ("https://host/a/b/", "c", "https://host/a/b/c"),
        ("https://host/a/b", "../x", "https://host/x"),
        ("https://host/a/b", "?deep=1", "https://host/a/b?deep=1"),
        ("http://host:8080", "/x?y=z", "http://host:8080/x?y=z"),
        ("https://host/base", "", "https://host/base"),
    ])
    func resolvesTheTestPathAgainstTheBaseURL(base: String, path: String, expected: String) {
        #expect(url(base, path) == expected)
    }

    @Test(arguments: [
        ("https://host/v2", "/health", "https://host/v2/health"),
        ("https://host/v2/", "/health", "https://host/v2/health"),
        ("https://host/v2", "health?x=1", "https://host/v2/health?x=1"),
        ("https://host", "", "https://host/"),
    ])
    func appendsTheTestPathWhenAskedTo(base: String, path: String, expected: String) {
        #expect(url(base, path, .append) == expected)
    }

    @Test(arguments: [
        "", "api.example.com", "/only/a/path", "http://", "https://exa mple.com", "ht!tp://x", "http://host:99999",
        "https://\u{7}host",
    ])
    func refusesWhatIsNoURL(base: String) {
        #expect(problem(base, "/") != nil)
    }

    @Test(arguments: ["ftp://host", "file:///etc/passwd", "gopher://host"])
    func refusesOtherSchemes(base: String) {
        let found = problem(base, "/")
        #expect(found != nil)
    }

    @Test func refusesUserInfo() {
        #expect(problem("https://user:secret@host", "/") == .hasUserInfo)
        #expect(problem("https://user@host", "/") == .hasUserInfo)
    }

    @Test(arguments: ["//evil.example/x", "https://evil.example/", "http://host/x", "https://host:444/x", "https://user@host/"])
    func refusesATestPathThatLeavesTheOrigin(path: String) {
        #expect(problem("https://host", path) != nil)
    }

    @Test func sayingThatAPrefixIsDroppedNeedsOneThatIsDropped() {
        #expect(droppedPathPrefix(of: target("https://host/v2", "/health"), join: .resolve) == "/v2")
        #expect(droppedPathPrefix(of: target("https://host/v2", "/v2/health"), join: .resolve) == nil)
        #expect(droppedPathPrefix(of: target("https://host/v2", "/health"), join: .append) == nil)
        #expect(droppedPathPrefix(of: target("https://host", "/health"), join: .resolve) == nil)
    }
}
