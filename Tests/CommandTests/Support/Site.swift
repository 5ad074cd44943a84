import Foundation
import Loopback

let siteToken = "t0ken-that-must-not-leak-0815"
let siteClient = "550e8400-e29b-41d4-a716-446655440000"

/// An API with one list, a server to probe, and a configuration file for both.
final class Site: Sendable {
    let folder: TemporaryFolder
    let api: LoopbackServer
    let target: LoopbackServer
    let configuration: String

    var database: String { folder.file("history.db") }

    /// `paths`: a target each, named after its path.
    init(
        paths: [String], probe: String = "{interval: 200ms, fast_interval: 100ms, timeout: 5s}", log: String = "info",
        _ respond: @escaping @Sendable (LoopbackRequest) -> LoopbackReply
    ) throws {
        folder = try TemporaryFolder()
        target = try LoopbackServer(respond)
        let url = target.url
        let records = paths.map { path in
            """
            {"sKey":"tgt_\(path)","targetName":"\(path)","targetBaseURL":"\(url)","targetTestPath":"/\(path)","targetRegion":"eu"}
            """
        }
        let list = #"{"targets":[\#(records.joined(separator: ","))],"message":"Success"}"#
        api = try LoopbackServer { request in
            request.headers["authorization"] == siteToken ? .http(200, body: list) : .http(401, body: #"{"message":"no"}"#)
        }
        _ = try folder.write(siteToken + "\n", to: "token")
        configuration = try folder.write(
            """
            vantage: test
            listen: 127.0.0.1:0
            targets_api:
              base_url: \(api.url)
              clients: [{id: \(siteClient), token_file: token}]
              sync_interval: 1s
            history: {path: \(folder.file("history.db"))}
            egress: {allow: [127.0.0.0/8]}
            probe: \(probe)
            log: {level: \(log)}
            """, to: "rangefinder.yaml")
    }

    /// Starts the daemon and returns once it listens, with its port.
    func start(environment: [String: String] = [:]) async throws -> (program: RunningProgram, port: Int) {
        let program = try RunningProgram(["run", "--config", configuration], environment: environment)
        guard await program.errors.until("info listening address=127.0.0.1:") else {
            throw SiteError(what: program.errors.text)
        }
        let tail = program.errors.text.components(separatedBy: "info listening address=127.0.0.1:").last ?? ""
        return (program, Int(tail.prefix { $0.isNumber }) ?? 0)
    }
}

struct SiteError: Error { let what: String }
