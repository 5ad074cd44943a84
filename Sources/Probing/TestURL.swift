package import Curl
package import Health

/// Why a target has no URL to probe.
package enum URLProblem: Error, Hashable, Sendable {
    case baseURLUnreadable
    case schemeNotHTTP(String)
    case hasUserInfo
    case testPathUnreadable
    /// The test path names another scheme, host or port than the base URL.
    case testPathLeavesOrigin(String)

    /// One sentence for the person who keeps the list.
    package func sentence(for target: Target) -> String {
        switch self {
        case .baseURLUnreadable:
            "the base URL \"\(displayText(target.baseURL))\" is no absolute http or https URL; correct the target"
        case .schemeNotHTTP(let scheme):
            "the base URL's scheme is \"\(displayText(scheme))\"; only http and https are probed"
        case .hasUserInfo:
            "the URL holds a user name or password; remove it and set a header instead"
        case .testPathUnreadable:
            "the test path \"\(displayText(target.testPath))\" can't be joined to the base URL; correct the target"
        case .testPathLeavesOrigin(let origin):
            "the test path leads to \(displayText(origin)), away from the base URL; a test path may not change scheme, host or port"
        }
    }
}

/// The URL that a target's probe asks for.
///
/// `resolve` is reference resolution of RFC 3986 section 5; `append` puts the test path behind the base URL's own path.
package func testURL(of target: Target, join: ProbePolicy.PathJoin) throws(URLProblem) -> URLParts {
    guard let base = URLParts(target.baseURL) else { throw .baseURLUnreadable }
    guard base.isHTTP else { throw .schemeNotHTTP(base.scheme) }
    guard !base.hasUserInfo else { throw .hasUserInfo }
    let joined =
        switch join {
        case .resolve: target.testPath.isEmpty ? base : base.resolving(target.testPath)
        case .append: base.appending(target.testPath)
        }
    guard let joined else { throw .testPathUnreadable }
    guard joined.hasOrigin(of: base) else { throw .testPathLeavesOrigin(joined.origin) }
    guard !joined.hasUserInfo else { throw .hasUserInfo }
    return joined
}

/// The prefix of the base URL's path that reference resolution drops, when it drops one: worth telling once, because whoever wrote
/// `https://host/v2` and `/health` may have meant `/v2/health`, which is `path_join: append`.
package func droppedPathPrefix(of target: Target, join: ProbePolicy.PathJoin) -> String? {
    // Nearly every base URL ends with its host, and a hundred thousand of them are asked at a start.
    guard target.baseURL.utf8.dropLast().reduce(0, { $0 + ($1 == UInt8(ascii: "/") ? 1 : 0) }) > 2 else { return nil }
    guard join == .resolve, let base = URLParts(target.baseURL), base.path != "/",
        let joined = try? testURL(of: target, join: join)
    else { return nil }
    let prefix = base.path.hasSuffix("/") ? base.path : base.path + "/"
    return joined.path == base.path || joined.path.hasPrefix(prefix) ? nil : base.path
}

extension URLParts {
    var isHTTP: Bool { scheme == "http" || scheme == "https" }

    fileprivate func appending(_ testPath: String) -> URLParts? {
        var prefix = path
        while prefix.hasSuffix("/") { prefix.removeLast() }
        let suffix = testPath.hasPrefix("/") || testPath.isEmpty ? testPath : "/" + testPath
        // Read again as a whole, so that dot segments and characters are judged as in any other URL.
        return URLParts(origin + prefix + suffix)
    }
}

/// The address that a URL's host is without asking anybody; nil for a name.
package func literalAddress(of url: URLParts) -> IPAddress? {
    // The one name that is always this machine.
    IPAddress(url.host) ?? (url.host == "localhost" ? IPAddress("127.0.0.1") : nil)
}
