import Foundation
import Glibc
import TestSupport

/// What a daemon leaves that has watched a target that is up, one that is down and one that it may not probe.
struct WatchedSite {
    let site: Site
    /// The list of all three.
    let api: LoopbackServer
    let configuration: String

    var folder: TemporaryFolder { site.folder }
    var database: String { site.database }

    /// - Parameter name: of the target that is down.
    init(name: String = "bad") async throws {
        site = try Site(paths: []) { $0.path == "/bad" ? .http(500) : .http(200) }
        let records = [
            record("tgt_good", name: "good", url: site.target.url, path: "/good", region: "eu"),
            record("tgt_bad", name: name, url: site.target.url, path: "/bad", region: "eu"),
            record("tgt_denied", name: "denied", url: "http://10.1.2.3", path: "/", region: "eu"),
        ]
        api = try LoopbackServer { _ in list(records) }
        let text = try site.folder.read("rangefinder.yaml").replacingOccurrences(of: site.api.url, with: api.url)
        configuration = try site.folder.write(text, to: "watched.yaml")
        let program = try RunningProgram(["run", "--config", configuration])
        for words in ["good is up", "denied can't be probed", " is down: "] {
            guard try await program.errors.until(words) else { throw SupportError(program.errors.text) }
        }
        program.send(SIGTERM)
        guard await program.ended() == 0 else { throw SupportError(program.errors.text) }
    }
}
