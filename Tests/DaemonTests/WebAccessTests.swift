import Health
import Logging
import Settings
import TestSupport
import Testing

@testable import Daemon

@Suite(.timeLimit(.minutes(2))) struct WebAccessTests {
    /// `htpasswd -nbBC 4 NAME secret`
    private static let hash = "$2y$04$HYdqfns1zSxXstLwfuNASeWOS9M/6y3DTzET9RJWQZz322bddlyOW"

    @Test func passwordsFollowTheirFileAndABadOneChangesNothing() async throws {
        let folder = try TemporaryFolder()
        let api = try ScriptedAPI(list([]))
        var settings = testSettings(folder, api: api.server.url)
        settings.webConfigFile = try folder.write("basic_auth_users: {one: \(Self.hash)}\n", to: "web.yml")
        try await RunningDaemon.run(settings, level: .notice) { running in
            func status(_ pair: String) async throws -> Int? {
                let page = try await running.get("/-/healthy", headers: [(name: "Authorization", value: "Basic \(pair)")])
                return page.status
            }
            // one:secret and two:secret
            let (one, two) = ("b25lOnNlY3JldA==", "dHdvOnNlY3JldA==")
            #expect(try await running.get("/-/healthy").status == 401)
            #expect(try await status(one) == 200)
            try folder.write("basic_auth_users: {two: \(Self.hash)}\n", to: "web.yml")
            while try await status(two) != 200 { try Task.checkCancellation() }
            #expect(try await status(one) == 401)
            try folder.write("basic_auth_users: {two: plain}\n", to: "web.yml")
            try await running.log.until("web.yml:1:25: the hash of 'two' must be made by bcrypt")
            try await running.log.until("goes on with the web configuration it had")
            #expect(try await status(two) == 200)
            #expect(!running.log.lines.contains { $0.contains(Self.hash) })
        }
    }

    @Test func aListenerBeyondThisMachineWithoutEitherIsSaid() async throws {
        let folder = try TemporaryFolder()
        let api = try ScriptedAPI(list([]))
        var settings = testSettings(folder, api: api.server.url)
        settings.listen = ListenAddress(host: "0.0.0.0", port: 0)
        try await RunningDaemon.run(settings, level: .notice) { running in
            try await running.log.until("without TLS or passwords")
        }
    }
}
