import Glibc
import TestSupport
import Testing

@testable import Curl

@Suite struct ConnectionFailureTests {
    let engine: TransferEngine
    init() throws { engine = try TransferEngine() }

    @Test func nobodyListeningIsARefusal() async throws {
        let (descriptor, port) = try boundSocket("127.0.0.1")
        defer { close(descriptor) }
        let report = await engine.transfer(try request("http://127.0.0.1:\(port)/"))
        #expect(report.code == .connectRefused)
        #expect(report.failure?.systemError == ECONNREFUSED)
        #expect(report.connect != nil && report.processing == nil && report.status == nil)
        #expect(report.address?.text == "127.0.0.1")
    }

    @Test func aFullBacklogIsAConnectTimeout() async throws {
        let backlog = try FullBacklog()
        defer { withExtendedLifetime(backlog) {} }
        let report = await engine.transfer(try request("http://127.0.0.1:\(backlog.port)/", timeout: .milliseconds(200)))
        #expect(report.code == .connectTimedOut)
        #expect(report.connect ?? .zero >= .milliseconds(190) && report.processing == nil)
    }

    @Test func anAnswerThatNeverComesIsATimeout() async throws {
        let server = try ConnectionServer { $0.waitForClose() }
        let report = await engine.transfer(try request(server.url(), timeout: .milliseconds(150)))
        #expect(report.code == .timedOut)
        #expect(report.processing ?? .zero > .milliseconds(100) && report.transfer == nil)
        #expect(report.duration == report.sumOfPhases && report.duration <= .milliseconds(150))
    }

    @Test func aBodyThatNeverEndsIsATimeoutWithItsStatus() async throws {
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            $0.waitForClose()
        }
        let report = await engine.transfer(try request(server.url(), timeout: .milliseconds(150)))
        #expect(report.code == .timedOut && report.status == 200 && report.text == "abc")
        #expect(report.transfer ?? .zero > .milliseconds(50))
    }

    @Test func closingWithoutAnAnswerIsConnectionClosed() async throws {
        let atOnce = try ConnectionServer { _ in }
        let afterReading = try ConnectionServer { $0.readRequest() }
        let afterContinue = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 100 Continue\r\n\r\n")
        }
        // A close with the request unread is a reset on the wire, so either may be seen in the first case.
        let first = await engine.transfer(try request(atOnce.url()))
        #expect(first.code == .connectionClosed || first.code == .connectReset)
        #expect(await engine.transfer(try request(afterReading.url())).code == .connectionClosed)
        #expect(await engine.transfer(try request(afterContinue.url())).code == .connectionClosed)
    }

    @Test func aResetIsToldApartFromAClose() async throws {
        let beforeAnswer = try ConnectionServer {
            $0.readRequest()
            $0.reset()
        }
        let inBody = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            $0.reset()
        }
        for server in [beforeAnswer, inBody] {
            let report = await engine.transfer(try request(server.url()))
            #expect(report.code == .connectReset)
            #expect(report.failure?.systemError == ECONNRESET)
        }
    }

    @Test func aRefusalSurvivesAnOpenTransferOnTheSameEngine() async throws {
        let server = try ConnectionServer { $0.answer() }
        let (descriptor, port) = try boundSocket("127.0.0.1")
        defer { close(descriptor) }
        for _ in 0..<3 {
            #expect(await engine.transfer(try request("http://127.0.0.1:\(port)/")).code == .connectRefused)
            #expect(await engine.transfer(try request(server.url())).status == 200)
        }
    }
}
