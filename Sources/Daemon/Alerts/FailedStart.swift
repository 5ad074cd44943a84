import Alerting
import Curl
import Health
package import Settings

/// Tells whoever waits for the heartbeat that the daemon could not start, as Healthchecks and its like take it: at the heartbeat's URL with
/// `/fail` behind its path, in the body why. Nobody has to wait until a beat is missed.
///
/// - Parameter sentence: why, safe to show.
package func tellFailedStart(_ settings: Settings, _ sentence: String) async {
    guard let heartbeat = settings.alerting.heartbeat, heartbeat.tellsFailedStart,
        let engine = try? TransferEngine(resolver: NameResolver(threads: 1))
    else { return }
    var request = AlertRequest(url: .secret(Secret(failURL(heartbeat.url.reveal()))), method: heartbeat.posts ? "POST" : "GET")
    if heartbeat.posts {
        request.headers.append(("Content-Type", "text/plain; charset=utf-8"))
        request.body = Array(sentence.utf8)
    }
    // What it answers changes nothing: the daemon ends anyway, and says why itself.
    _ = await alertTransport(userAgent: settings.probe.userAgent, over: engine)(request)
    await engine.shutDown()
}

func failURL(_ url: String) -> String {
    let end = url.firstIndex { $0 == "?" || $0 == "#" } ?? url.endIndex
    let path = url[..<end]
    return path + (path.hasSuffix("/") ? "fail" : "/fail") + url[end...]
}
