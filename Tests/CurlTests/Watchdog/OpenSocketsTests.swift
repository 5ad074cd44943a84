import TestSupport
import Testing

@testable import Curl

@Suite(.timeLimit(.minutes(1))) struct OpenSocketsTests {
    @Test func whatArrivesBetweenTwoQuestionsWasNotRead() async throws {
        let server = try ConnectionServer { $0.sendForEver([UInt8](repeating: 0x78, count: 1000)) }
        let connection = try Connection(port: server.port)
        defer { connection.close() }
        var sockets = OpenSockets()
        _ = sockets.opened(connection.descriptor)
        var most: Int64 = 0
        for _ in 0..<5000 {
            for reading in sockets.readings() { most = max(most, reading.grown()) }
            _ = connection.readBytes()
        }
        #expect(most == 0)
    }

    @Test func whatWasReadIsSeen() async throws {
        let server = try ConnectionServer {
            $0.send("abc")
            $0.waitForClose()
        }
        let connection = try Connection(port: server.port)
        defer { connection.close() }
        var sockets = OpenSockets()
        _ = sockets.opened(connection.descriptor)
        let before = sockets.readings()
        let read = connection.readBytes()?.count ?? 0
        #expect(read > 0 && before.map { $0.grown() } == [Int64(read)])
    }
}
