import Daemon
import Glibc
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct LogSinkTests {
    @Test func aReaderThatIsStuckStopsNobodyAndLearnsWhatItMissed() async throws {
        var ends: [Int32] = [-1, -1]
        // Never closed: the sink lives as long as the process, and may still be writing when the test is over.
        #expect(pipe(&ends) == 0)
        let sink = LogSink(descriptor: ends[1])
        let line = String(repeating: "x", count: 99)
        let took = ContinuousClock().measure { for _ in 0..<30_000 { sink.write(line) } }
        #expect(took < .seconds(20))
        let reading = ends[0]
        let text: String = try await onThread {
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65_536)
            while !String(decoding: bytes.suffix(200), as: UTF8.self).contains("were dropped)") {
                let count = read(reading, &chunk, chunk.count)
                guard count > 0 else { break }
                bytes += chunk[..<count]
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        #expect(text.contains(" lines of the log were dropped)"))
        #expect(text.hasPrefix(line + "\n"))
    }
}
