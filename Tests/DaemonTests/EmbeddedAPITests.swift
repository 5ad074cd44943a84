import Curl
import Health
import Logging
import Settings
import TestSupport
import Testing

@testable import Daemon

@Suite(.timeLimit(.minutes(5))) struct EmbeddedAPITests {
    /// The sync's own interval is an hour.
    @Test func aChangeThereIsKnownAtOnce() async throws {
        let folder = try TemporaryFolder()
        let target = try LoopbackServer { _ in .http(200) }
        let port = try freePort()
        var settings = testSettings(folder, api: "http://127.0.0.1:\(port)")
        settings.targetsAPI.syncInterval = .seconds(3600)
        settings.targetsServer = Settings.TargetsServer(tokens: [.init(name: "token", secret: Secret(testToken))])
        settings.targetsServer?.listen = ListenAddress(host: "127.0.0.1", port: port)
        settings.targetsServer?.database = folder.file("targets.db")
        try await RunningDaemon.run(settings, level: .debug) { running in
            try await running.log.until("sync: list changed")
            let engine = try TransferEngine()
            for name in ["one", "two"] {
                var request = TransferRequest(
                    url: try #require(URLParts("http://127.0.0.1:\(port)/api/clients/\(documentedClient)/targets")),
                    method: "POST")
                request.headers = [
                    (name: "Authorization", value: testToken), (name: "Content-Type", value: "application/json"),
                ]
                request.body = Array(
                    #"{"targetName":"\#(name)","targetRegion":"r","targetBaseURL":"\#(target.url)","targetTestPath":"/"}"#.utf8)
                #expect(await engine.transfer(request).status == 200)
                try await running.log.until("\(name) is up")
            }
            await engine.shutDown()
        }
    }
}
