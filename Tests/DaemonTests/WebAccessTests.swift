import Glibc
import Health
import Logging
import NIOCore
import Settings
import TestSupport
import Testing

@testable import Daemon
@testable import Web

@Suite(.timeLimit(.minutes(5))) struct WebAccessTests {
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

    @Test func aFileThatABadReadingNamedIsWaitedFor() throws {
        let folder = try TemporaryFolder()
        let (access, log) = (try WebAccess(.system(), nil), LogCapture())
        let path = try folder.write("tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n", to: "web.yml")
        #expect(access.take(path).troubles.count == 2)
        access.check(log.logger(LogLevel(.notice)))
        #expect(log.lines == [])
        try folder.write("nothing like it", to: "key.pem")
        access.check(log.logger(LogLevel(.notice)))
        #expect(log.lines.contains { $0.contains("holds no PEM of a PRIVATE KEY") })
    }

    @Test func whatChangesWhileItIsReadIsReadAgain() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("basic_auth_users: {one: plain}\n", to: "web.yml")
        var surroundings = ProcessEnvironment.system()
        surroundings.readFile = { [read = surroundings.readFile] file, limit throws(FileProblem) in
            let bytes = try read(file, limit)
            if bytes.count < 40 { _ = try? folder.write("basic_auth_users: {two: \(Self.hash)}\n", to: "web.yml") }
            return bytes
        }
        let (access, log) = (try WebAccess(surroundings, nil), LogCapture())
        #expect(!access.take(path).troubles.isEmpty)
        access.check(log.logger(LogLevel(.notice)))
        #expect(log.lines.contains { $0.contains("was read again") })
        #expect(!access.security.isOpen)
    }

    @Test func aFileThatIsRefusedDoesNotTakeThePlaceOfTheOneInForce() throws {
        let folder = try TemporaryFolder()
        let (access, log) = (try WebAccess(.system(), nil), LogCapture())
        let good = try folder.write("basic_auth_users: {one: \(Self.hash)}\n", to: "web.yml")
        #expect(access.take(good).troubles == [])
        let other = try folder.write("basic_auth_users: {one: plain}\n", to: "other.yml")
        #expect(!access.take(other).troubles.isEmpty)
        // Mended, it is nobody's any more; the one in force is read again.
        try folder.write("{}\n", to: "other.yml")
        access.check(log.logger(LogLevel(.notice)))
        #expect(!access.security.isOpen && log.lines == [])
        chmod(good, 0o600)
        access.check(log.logger(LogLevel(.notice)))
        #expect(log.lines.contains { $0.contains("was read again") })
    }

    @Test(arguments: ["", "# nothing\n", "http_server_config: {}\n"])
    func aFileThatHasLostItsPasswordsIsTakenOnlyWhenThatIsAccepted(
        lost: String
    ) throws {
        let folder = try TemporaryFolder()
        let (access, log) = (try WebAccess(.system(), nil), LogCapture())
        let path = try folder.write("basic_auth_users: {one: \(Self.hash)}\n", to: "web.yml")
        #expect(access.take(path).troubles == [])
        try folder.write(lost, to: "web.yml")
        access.check(log.logger(LogLevel(.notice)))
        #expect(!access.security.isOpen)
        #expect(log.lines.contains { $0.contains("has no passwords any more") })
        #expect(log.lines.contains { $0.contains("rangefinder reload --accept") })
        #expect(access.take(path).canBeAccepted)
        #expect(access.take(path, accept: true).troubles == [])
        #expect(access.security.isOpen)
    }

    @Test func anOpenListenerIsSaidWheneverItBecomesOne() throws {
        let folder = try TemporaryFolder()
        let (access, log) = (try WebAccess(.system(), nil), LogCapture())
        func warnings() -> Int { log.lines.count { $0.contains("on 192.0.2.1:80 without TLS or passwords") } }
        func say() { access.sayIfOpen(log.logger(LogLevel(.notice))) }
        say()
        access.listens(at: WebServer.Bound(try SocketAddress(ipAddress: "127.0.0.1", port: 80)))
        say()
        #expect(log.lines == [])
        // As of a socket that was handed on, whatever `listen` says.
        access.listens(at: WebServer.Bound(try SocketAddress(ipAddress: "192.0.2.1", port: 80)))
        for _ in 0..<2 { say() }
        #expect(warnings() == 1)
        #expect(access.take(try folder.write("basic_auth_users: {one: \(Self.hash)}\n", to: "web.yml")).troubles == [])
        say()
        #expect(warnings() == 1)
        #expect(access.take(nil).troubles == [])
        say()
        #expect(warnings() == 2)
    }

    @Test func turnsComeOneAfterTheOther() async throws {
        let (turns, steps, isOpen) = (AsyncSerialQueue(), Watched<[String]>([]), Watched(false))
        async let first: Void = turns.take {
            steps.change { $0.append("one begins") }
            try? await isOpen.until { $0 }
            steps.change { $0.append("one ends") }
        }
        try await steps.until { $0 == ["one begins"] }
        async let second: Void = turns.take { steps.change { $0.append("two") } }
        isOpen.change { $0 = true }
        _ = await (first, second)
        #expect(steps.value == ["one begins", "one ends", "two"])
    }
}
