import Health
import Synchronization
import TargetsAPI
import TestSupport
import Testing

@testable import TargetsServer

/// Who has no token takes nothing from who has one.
@Suite(.timeLimit(.minutes(5))) struct StrangerTests {
    private static let unknown = "GET \(targetsPath) HTTP/1.1\r\nHost: localhost\r\n\r\n"
    private static let known = "GET \(targetsPath)/none HTTP/1.1\r\nHost: localhost\r\nAuthorization: \(registryToken)\r\n\r\n"
    /// Such an answer is written at once.
    private static let answered = "HTTP/1.1 404 Not Found\r\n"

    @Test(arguments: [
        unknown, "GET \(targetsPath) HTTP/1.1\r\nHost: localhost\r\nAuthorization: wrong\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
    ])
    func aConnectionWithoutATokenEndsAfterItsFirstAnswer(_ request: String) async throws {
        try await withServer { port in
            let answer = try await exchange(port, request + Self.known)
            #expect([401, 421, 400].contains(answer.status))
            #expect(answer.headers["connection"] == "close")
            #expect(!answer.text.contains("HTTP/1.1"))
        }
    }

    @Test func aConnectionWithATokenStays() async throws {
        try await withServer { port in
            try await onThread {
                let connection = try Connection(port: port)
                defer { connection.close() }
                for _ in 0..<3 {
                    connection.send(Self.known)
                    let answer = connection.readSome() ?? ""
                    #expect(answer.hasPrefix(Self.answered) && !answer.contains("Connection: close"))
                }
            }
        }
    }

    /// From the same address, from one other, and from so many that all places are theirs.
    @Test(arguments: [["127.0.0.1"], ["127.0.0.2"], (2...9).map { "127.0.0.\($0)" }])
    func strangersThatHoldAllTheyCanKeepNobodyOut(_ addresses: [String]) async throws {
        try await withServer { port in
            let held = try await onThread {
                try addresses.flatMap { address in
                    try (0..<(TargetsServer.connectionsMax + 40) / addresses.count).map { number in
                        let connection = try Connection(port: port, from: address)
                        // Half of them ask, and half say nothing.
                        if number % 2 == 0 { connection.send(Self.unknown) }
                        return connection
                    }
                }
            }
            defer { for connection in held { connection.close() } }
            for _ in 0..<13 {
                let answer = try await exchange(port, request("GET", targetsPath))
                #expect(answer.status == 200)
            }
        }
    }

    @Test func whoHasShownATokenIsNotEndedForStrangers() async throws {
        try await withServer { port in
            try await onThread {
                let connection = try Connection(port: port, from: "127.0.0.3")
                defer { connection.close() }
                connection.send(Self.known)
                #expect(connection.readSome()?.hasPrefix(Self.answered) == true)
                let strangers = try (0..<TargetsServer.connectionsMax + 10).map { _ in
                    try Connection(port: port, from: "127.0.0.3")
                }
                defer { for stranger in strangers { stranger.close() } }
                // The oldest of them have been ended for the newest.
                #expect(strangers[0].waitForClose(atMost: .seconds(30)))
                connection.send(Self.known)
                #expect(connection.readSome()?.hasPrefix(Self.answered) == true)
            }
        }
    }

    /// As many as there are places, and none of them has shown its token before all are there.
    @Test func aBurstFromOneAddressIsAnswered() async throws {
        try await withServer { port in
            try await onThread {
                let burst = try (0..<TargetsServer.connectionsMax).map { _ in try Connection(port: port) }
                defer { for connection in burst { connection.close() } }
                for connection in burst { connection.send(Self.known) }
                for connection in burst { #expect(connection.readSome()?.hasPrefix(Self.answered) == true) }
            }
        }
    }

    @Test func whoReadsSlowlyKeepsABoundedNumberOfStatesOfAListAlive() async throws {
        let folder = try TemporaryFolder()
        let store = try TargetStore(path: folder.file("targets.db"))
        let long = String(repeating: "x", count: 2000)
        let drafts = (0..<7000).map {
            TargetDraft(name: "n\($0)", baseURL: "http://a/\(long)", testPath: "/\(long)", region: "r")
        }
        let first = try #require(try await store.create(drafts, clientID: documentedClient).first?.sKey)
        try store.close()
        try await withServer(database: folder.file("targets.db"), listBytesMax: 1) { port in
            let slow = try Connection(port: port, receives: 4096)
            defer { slow.close() }
            let head = try await onThread {
                slow.send(request("GET", targetsPath).text)
                return slow.readBytes() ?? []
            }
            #expect(String(decoding: head, as: UTF8.self).hasPrefix("HTTP/1.1 200 OK\r\n"))
            // The same state costs nothing more.
            #expect(try await exchange(port, request("GET", targetsPath)).status == 200)
            _ = try await client(port: port).update(first, TargetChange(name: "other"))
            let refused = try await exchange(port, request("GET", targetsPath))
            #expect((refused.status, refused.headers["retry-after"]) == (503, "10"))
            // All else goes on.
            #expect(try await exchange(port, request("GET", "\(targetsPath)/\(first)")).status == 200)
            let rest = try await onThread { try slow.readToEnd() }
            #expect(rest.count > 28_000_000)
            #expect(try await exchange(port, request("GET", targetsPath)).status == 200)
        }
    }
}
