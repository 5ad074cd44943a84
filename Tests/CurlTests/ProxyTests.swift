import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Curl

/// A proxy that opens the way that CONNECT names, or says why it doesn't.
private final class ConnectProxy: Sendable {
    private let server: ConnectionServer
    private let heads = Watched<[String]>([])

    var port: Int { server.port }
    var requests: [String] { heads.value }

    init(refusal: String? = nil) throws {
        let heads = heads
        server = try ConnectionServer { client in
            let head = client.readRequest()
            heads.change { $0.append(head) }
            if let refusal {
                client.send("HTTP/1.1 \(refusal)\r\nContent-Length: 0\r\nX-Of: proxy\r\n\r\n")
                return
            }
            guard let port = head.firstMatch(of: /CONNECT 127\.0\.0\.1:(\d+)/).flatMap({ Int($0.1) }),
                let target = try? Connection(port: port)
            else { return }
            client.send("HTTP/1.1 200 Connected\r\nX-Of: proxy\r\n\r\n")
            let isDone = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                while let bytes = target.readBytes(), client.send(bytes) {}
                shutdown(client.descriptor, Int32(SHUT_RDWR))
                isDone.signal()
            }
            while let bytes = client.readBytes(), target.send(bytes) {}
            shutdown(target.descriptor, Int32(SHUT_RDWR))
            // Neither is closed while the other thread has it: its number would be another test's by then.
            isDone.wait()
            target.close()
        }
    }
}

@Suite struct ProxyTests {
    private let name = HeldResolver(["127.0.0.1"])
    private let engine: TransferEngine

    init() throws {
        name.release()
        engine = try TransferEngine(resolver: name.lookUp)
    }

    @Test func isAskedForTheAddressThatWeLookedUp() async throws {
        let (proxy, server) = (try ConnectProxy(), try ConnectionServer { $0.answer("hello", headers: "X-Of: target\r\n") })
        let report = await engine.transfer(
            try request("http://target.test:\(server.port)/a") {
                $0.proxy = (host: "proxy.test", port: proxy.port)
                $0.headers = [(name: "Proxy-Authorization", value: "Basic x"), (name: "X-Key", value: "y")]
                $0.keepHeaders = true
            })
        #expect(report.status == 200 && report.text == "hello")
        #expect(report.address?.text == "127.0.0.1")
        #expect(report.headers.contains { $0.name == "X-Of" && $0.value == "target" })
        #expect(!report.headers.contains { $0.value == "proxy" })
        let head = try #require(proxy.requests.first)
        #expect(head.hasPrefix("CONNECT 127.0.0.1:\(server.port) HTTP/1.1\r\n"))
        #expect(head.contains("Proxy-Authorization: Basic x\r\n") && !head.contains("X-Key"))
        #expect(report.connect ?? .zero > .zero && report.processing ?? .zero > .zero)
    }

    @Test func carriesTLSToTheTargetItself() async throws {
        let authority = try TestAuthority()
        let (proxy, server) = (try ConnectProxy(), try TLSServer(authority, certificate: authority.issue("leaf")))
        let report = await engine.transfer(
            try request("https://localhost:\(server.port)/") {
                $0.caFile = authority.bundle
                $0.proxy = (host: "127.0.0.1", port: proxy.port)
            })
        #expect(report.failure == nil && report.status == 200)
        #expect(report.certificates.first?.subject == "CN=leaf")
        let parts = [report.dns, report.connect, report.tls, report.processing, report.transfer].compactMap(\.self)
        #expect(parts.count == 5 && parts.reduce(.zero, +) == report.duration)
    }

    @Test(arguments: ["502 Bad Gateway", "407 Proxy Authentication Required", "403 Forbidden"])
    func itsRefusalIsProxyFailed(refusal: String) async throws {
        let proxy = try ConnectProxy(refusal: refusal)
        for scheme in ["http", "https"] {
            let report = await engine.transfer(
                try request("\(scheme)://target.test:9/") { $0.proxy = (host: "127.0.0.1", port: proxy.port) })
            #expect(report.code == .proxyFailed && report.status == nil)
            #expect(report.failure?.detail.contains(refusal.prefix(3)) == true)
        }
    }

    @Test func aProxyThatIsNotThereIsProxyFailed() async throws {
        let (descriptor, port) = try boundSocket("127.0.0.1")
        defer { close(descriptor) }
        let report = await engine.transfer(try request("http://target.test:9/") { $0.proxy = (host: "127.0.0.1", port: port) })
        #expect(report.code == .proxyFailed)
    }

    @Test func aProxyThatSaysNothingIsProxyFailed() async throws {
        let proxy = try ConnectionServer { $0.waitForClose() }
        let report = await engine.transfer(
            try request("http://target.test:9/", timeout: .milliseconds(300)) { $0.proxy = (host: "127.0.0.1", port: proxy.port) }
        )
        #expect(report.code == .proxyFailed)
    }

    @Test func aProxyWithoutAnAddressIsProxyFailed() async throws {
        let engine = try TransferEngine(resolver: { name in
            name.host == "target.test"
                ? .addresses([SocketAddress("127.0.0.1")].compactMap(\.self)) : .failed(.init(.lookupFailed, detail: "unknown"))
        })
        let report = await engine.transfer(try request("http://target.test:9/") { $0.proxy = (host: "proxy.test", port: 1) })
        #expect(report.code == .proxyFailed && report.failure?.detail.contains("unknown") == true)
    }

    /// The proxy's answer may be remembered after the transfer that asks for it has begun.
    @Test func anAnswerNewerThanTheTransferIsRecalled() {
        var cache = LookupCache()
        let name = LookupName(host: "proxy.test", family: .any)
        let addresses = ["127.0.0.1"].compactMap { SocketAddress($0) }
        cache.remember(name, addresses, timeToLive: nil, at: 100, keep: 10)
        #expect(cache.recall(name, .atMost(nanoseconds: 10), now: 50) == addresses)
        #expect(cache.recall(name, .atMost(nanoseconds: 10), now: 110) == addresses)
        #expect(cache.recall(name, .atMost(nanoseconds: 10), now: 111) == nil)
    }

    @Test func theRuleIsAskedForTheTargetAndNotForTheProxy() async throws {
        let (proxy, server) = (try ConnectProxy(), try ConnectionServer { $0.answer() })
        let denied = await engine.transfer(
            try request("http://127.0.0.2:\(server.port)/") {
                $0.proxy = (host: "127.0.0.1", port: proxy.port)
                $0.allows = { $0.text != "127.0.0.2" }
            })
        #expect(denied.code == .addressDenied && proxy.requests.isEmpty)
        // 127.0.0.1 in another spelling stands for an address that the rule forbids to targets.
        let report = await engine.transfer(
            try request("http://127.0.0.1:\(server.port)/") {
                $0.proxy = (host: "127.0.0.1", port: proxy.port)
                $0.allows = { $0.text == "127.0.0.1" }
            })
        #expect(report.status == 200)
    }

    @Test func withoutAProxyItsCredentialsGoNowhere() async throws {
        let seen = Mutex("")
        let server = try ConnectionServer { connection in
            let head = connection.readRequest()
            seen.withLock { $0 = head }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        let report = await engine.transfer(
            try request(server.url()) { $0.headers = [(name: "Proxy-Authorization", value: "Basic x")] })
        #expect(report.status == 200)
        #expect(!seen.withLock { $0 }.contains("Basic x"))
    }
}
