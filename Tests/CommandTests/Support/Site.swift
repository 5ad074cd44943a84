import Foundation
import TestSupport

let siteToken = "t0ken-that-must-not-leak-0815"

/// An API with one list, a server to probe, and a configuration file for both.
final class Site: Sendable {
    let folder: TemporaryFolder
    let api: LoopbackServer
    let target: LoopbackServer
    let configuration: String

    var database: String { folder.file("history.db") }

    /// `paths`: a target each, named after its path. `more`: further lines of the configuration.
    init(
        paths: [String], probe: String = "{interval: 2s, fast_interval: 100ms, timeout: 2s}", log: String = "debug",
        more: String = "", _ respond: @escaping @Sendable (LoopbackRequest) -> LoopbackReply
    ) throws {
        folder = try TemporaryFolder()
        target = try LoopbackServer(respond)
        let url = target.url
        let list = list(paths.map { record("tgt_\($0)", name: $0, url: url, path: "/\($0)", region: "eu") })
        api = try LoopbackServer { request in
            request.headers["authorization"] == siteToken ? list : .http(401, body: #"{"message":"no"}"#)
        }
        try folder.write(siteToken + "\n", to: "token")
        configuration = try folder.write(
            """
            vantage: test
            listen: 127.0.0.1:0
            targets_api:
              base_url: \(api.url)
              clients: [{id: \(documentedClient), token_file: token}]
              sync_interval: 1s
            history: {path: \(folder.file("history.db"))}
            egress: {allow: [127.0.0.0/8]}
            probe: \(probe)
            log: {level: \(log)}
            \(more)
            """, to: "rangefinder.yaml")
    }

    /// Starts the daemon and returns once it listens, with its port.
    func start(environment: [String: String] = [:]) async throws -> (program: RunningProgram, port: Int) {
        let program = try RunningProgram(["run", "--config", configuration], environment: environment)
        return (program, try await program.port(after: "info listening address=127.0.0.1:"))
    }
}
