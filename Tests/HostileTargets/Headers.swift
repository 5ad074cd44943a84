import Health
import TestSupport

extension HostileTargets {
    private static let start = "HTTP/1.1 200 OK\r\n"

    /// Heads of answers that are too much, or not what they should be.
    static let headers: [HostileCase] = [
        .answering("has headers that never end", .protocolError) {
            $0.send(start)
            $0.sendForEver("X-More: and more\r\n")
        },
        .answering("has headers that never end, slowly", .timeout, within: HostileCase.soon) {
            $0.send(start)
            $0.drip("X-More: and more\r\n", every: .milliseconds(20))
        },
        .answering("has a header line that never ends", .protocolError) {
            $0.send(start + "X-More: ")
            $0.sendForEver("and more and more and more ")
        },
        .answering("has 100 MiB of headers", .protocolError) {
            let line = "X-Padding: \(String(repeating: "a", count: 1011))\r\n"
            $0.sendMebibytes(100, of: line, after: start)
            $0.send("\r\n")
        },
        .answering("has a header of 100 MiB", .protocolError) {
            $0.sendMebibytes(100, of: String(repeating: "a", count: 1024), after: start + "X-Padding: ")
            $0.send("\r\n\r\n")
        },
        .answering("has a NUL in a header", .protocolError) { $0.send(start + "X-Nul: a\0b\r\nContent-Length: 0\r\n\r\n") },
        // RFC 9110 section 5.5 lets a recipient keep what is neither CR, LF nor NUL.
        .answering("has control bytes in its headers", nil) {
            $0.send(start + "X-Control: \u{1}\u{7}\u{1b}[31m\u{7f}\r\nContent-Length: 0\r\n\r\n")
        },
        .answering("has a header without a colon", .protocolError) { $0.send(start + "No colon here\r\n\r\n") },
        .answering("closes in its headers", .protocolError) { $0.send(start + "Content-Type: text/plain\r\n") },
    ]

    /// Ways to be wrong about a body's length.
    static let lengths: [HostileCase] = [
        .answering("promises a longer body and closes", .protocolError) {
            $0.send(start + "Content-Length: 100\r\n\r\nonly this")
        },
        .answering("promises a longer body and waits", .timeout, within: HostileCase.soon) {
            $0.send(start + "Content-Length: 100\r\n\r\nonly this")
            $0.waitForClose()
        },
        // RFC 9112 section 6.3: what follows a complete answer may be discarded.
        .answering("sends more than it promised", nil) { $0.send(start + "Content-Length: 4\r\n\r\nthis, and then some") },
        .answering("promises a negative length", .protocolError) { $0.send(start + "Content-Length: -5\r\n\r\nabc") },
        .answering("promises a length that is no number", .protocolError) { $0.send(start + "Content-Length: many\r\n\r\nabc") },
        .answering("promises a length past all numbers", .protocolError) {
            $0.send(start + "Content-Length: 99999999999999999999\r\n\r\nabc")
        },
        .answering("promises two lengths", .protocolError) {
            $0.send(start + "Content-Length: 5\r\nContent-Length: 3\r\n\r\nabcde")
        },
        .answering("promises two lengths in one line", .protocolError) { $0.send(start + "Content-Length: 3, 5\r\n\r\nabc") },
        // RFC 9110 section 8.6: the same length twice may be taken as one.
        .answering("promises one length twice", nil) {
            $0.send(start + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc")
        },
    ]
}

extension Connection {
    /// Stops when the other end is gone.
    fileprivate func sendMebibytes(_ count: Int, of kibibyte: String, after start: String) {
        let piece = Array(String(repeating: kibibyte, count: 64).utf8)
        guard send(start) else { return }
        for _ in 0..<(count * 16) where !send(piece) { return }
    }
}
