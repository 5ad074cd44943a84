import Health
import TestSupport

extension HostileTargets {
    /// What a server can do to a connection before there is an answer that could be read.
    static let sockets =
        [
            HostileCase("accepts and says nothing", .timeout, within: HostileCase.soon) { _ in
                try HostileServer { $0.waitForClose() }
            },
            HostileCase("listens and accepts nobody", .connectTimeout, within: HostileCase.soon) { _ in
                let backlog = try FullBacklog()
                return HostileServer("http://127.0.0.1:\(backlog.port)", keeping: [backlog])
            },
            HostileCase("listens no more", .connectRefused) { _ in
                let closed = try ClosedPort()
                return HostileServer("http://127.0.0.1:\(closed.port)", keeping: [closed])
            },
            HostileCase("closes at once", .connectionClosed) { _ in
                try HostileServer {
                    $0.finishSending()
                    $0.waitForClose()
                }
            },
            HostileCase("resets at once", .connectReset) { _ in try HostileServer { $0.reset() } },
            .answering("closes when it has read the request", .connectionClosed) { _ in },
            .answering("resets when it has read the request", .connectReset) { $0.reset() },
            .answering("resets in its headers", .connectReset) {
                $0.send("HTTP/1.1 200 OK\r\nContent-Le")
                $0.reset()
            },
            .answering("resets in its body", .connectReset) {
                $0.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nsome of it")
                $0.reset()
            },
        ] + slowOnes + otherTongues

    private static let slowOnes: [HostileCase] = [
        .answering("sends a byte a second", .timeout, within: HostileCase.soon) { connection in
            for byte in "HTTP/1.1 200 OK\r\n".utf8 {
                guard connection.send([byte]), !connection.waitForClose(atMost: .seconds(1)) else { return }
            }
        },
        .answering("sends its status line a byte at a time", .timeout, within: HostileCase.soon) {
            $0.send("HTTP/1.1 200 ")
            $0.drip("O", every: .milliseconds(20))
        },
        .answering("sends its body a byte at a time", .timeout, within: HostileCase.soon) {
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            $0.drip("b", every: .milliseconds(20))
        },
        .answering("tells to continue, slowly and for ever", .timeout, within: HostileCase.soon) {
            $0.drip("HTTP/1.1 100 Continue\r\n\r\n", every: .milliseconds(20))
        },
    ]

    private static let otherTongues: [HostileCase] = [
        .answering("sends garbage", .protocolError) { $0.sendForEver([0x01, 0x02, 0x80, 0xff, 0x00, 0x0d, 0x0a, 0x1b]) },
        .answering("sends garbage and closes", .protocolError) { $0.send("\u{1}\u{2}\u{1b}[31mnot HTTP\u{202e}\r\n\r\n") },
        .answering("speaks SSH", .protocolError) { $0.send("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n") },
        .answering("answers with a TLS alert", .protocolError) { $0.send([0x15, 3, 1, 0, 2, 2, 70]) },
        .answering("answers with a status that is none", .protocolError) { $0.send("HTTP/1.1 99999999999 OK\r\n\r\n") },
        .answering("tells to continue for ever", .protocolError) { $0.sendForEver("HTTP/1.1 100 Continue\r\n\r\n") },
        .answering("hints early for ever", .protocolError) {
            $0.sendForEver("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
        },
    ]
}
