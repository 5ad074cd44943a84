import Health
import TestSupport

extension HostileTargets {
    /// HTTP/2 without TLS, frame by frame (RFC 9113), from servers that don't keep to it.
    static let frames: [HostileCase] =
        [
            speaking("resets the stream", .protocolError) { $0.send(Frame.reset(.protocolError)) },
            speaking("refuses the stream", .protocolError) { $0.send(Frame.reset(.refusedStream)) },
            speaking("resets the stream in the body", .protocolError) {
                $0.send(Frame.okay + Frame.data("some of it") + Frame.reset(.internalError))
            },
            speaking("says GOAWAY", .protocolError) { $0.send(Frame.goAway(lastStream: 0, .enhanceYourCalm)) },
            speaking("says GOAWAY without an error", .protocolError) { $0.send(Frame.goAway(lastStream: 0, .noError)) },
            speaking("says GOAWAY in the body and closes", .protocolError) {
                $0.send(Frame.okay + Frame.data("some of it") + Frame.goAway(lastStream: 1, .internalError))
                $0.finishSending()
            },
            speaking("says nothing after its settings", .timeout, within: HostileCase.soon) { _ in },
            speaking("closes after its settings", .connectionClosed) { $0.finishSending() },
            HostileCase("closes at once when asked in HTTP/2", .connectionClosed, policy: { $0.httpVersion = .http2 }) { _ in
                try HostileServer {
                    $0.finishSending()
                    $0.waitForClose()
                }
            },
            HostileCase("answers HTTP/2 in HTTP/1.1", .protocolError, policy: { $0.httpVersion = .http2 }) { _ in
                try HostileServer {
                    $0.readRequest()
                    $0.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                    $0.waitForClose()
                }
            },
        ] + endless + floods

    private static let endless: [HostileCase] = [
        speaking("continues its headers for ever", .protocolError) {
            $0.send(Frame.bytes(.headers, stream: 1, Frame.status200))
            $0.sendForEver(Frame.bytes(.continuation, stream: 1, Frame.field("x-more", String(repeating: "a", count: 100))))
        },
        speaking("says one long header again and again in one byte each", .protocolError) {
            // An entry in the table of headers, then references to it: RFC 7541 section 6.1.
            let entry: [UInt8] = Frame.field("x-bomb", String(repeating: "a", count: 126), isRemembered: true)
            $0.send(
                Frame.bytes(
                    .headers, flags: Frame.endOfHeaders, stream: 1,
                    Frame.status200 + entry + [UInt8](repeating: 0x80 | 62, count: 15_000)))
        },
        speaking("sends a frame larger than any may be", .protocolError) {
            $0.send([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])
            $0.sendForEver(String(repeating: "x", count: 65_536))
        },
        speaking("sends a body without end", .bodyTooLarge) {
            $0.send(Frame.okay)
            $0.sendForEver(Frame.data(String(repeating: "x", count: 16_384)))
        },
        // A client must take this for an error of the connection (RFC 9113 section 8.4), and libcurl does: it says GOAWAY. Then it waits
        // until the server goes, and tells nobody; one that stays is a timeout.
        speaking("pushes what nobody asked for", .timeout, within: HostileCase.soon) {
            $0.send(Frame.bytes(.pushPromise, flags: Frame.endOfHeaders, stream: 1, [0, 0, 0, 2] + Frame.status200))
        },
    ]

    /// Nothing in these is for libcurl to hand over, so it reads on as long as more has come.
    private static let floods = [
        flooding("sends empty data for ever", after: Frame.okay, Frame.data("")),
        flooding("pings for ever", Frame.bytes(.ping, stream: 0, [UInt8](repeating: 0, count: 8))),
        flooding("changes its settings for ever", Frame.bytes(.settings, stream: 0, [])),
        flooding("sends frames of no known kind for ever", [0, 0, 0, 0xff, 0, 0, 0, 0, 0]),
    ]

    private static func flooding(_ name: String, after head: [UInt8] = [], _ frame: [UInt8]) -> HostileCase {
        // As many as one call of the system's takes well.
        let frames = Array(repeatElement(frame, count: 65_536 / frame.count).joined())
        return speaking(name, .protocolError) {
            $0.send(head)
            $0.sendForEver(frames, hearing: true)
        }
    }

    /// One that does what the script says after its settings, and then reads until the client has gone.
    private static func speaking(
        _ name: String, _ reason: Reason?, within timeout: Duration? = nil, _ script: @escaping @Sendable (Connection) -> Void
    ) -> HostileCase {
        HostileCase("over HTTP/2 " + name, reason, within: timeout, policy: { $0.httpVersion = .http2 }) { _ in
            try HostileServer {
                $0.readRequest()
                $0.send(Frame.bytes(.settings, stream: 0, []))
                script($0)
                $0.waitForClose()
            }
        }
    }
}

private enum Frame {
    enum Kind: UInt8 {
        case data, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
    }

    enum Code: UInt8 {
        case noError = 0x0
        case protocolError = 0x1
        case internalError = 0x2
        case refusedStream = 0x7
        case enhanceYourCalm = 0xb
    }

    static let endOfHeaders: UInt8 = 4
    /// An entry of the table that every HTTP/2 endpoint knows: RFC 7541 appendix A.
    static let status200: [UInt8] = [0x88]
    static let okay = bytes(.headers, flags: endOfHeaders, stream: 1, status200)

    static func bytes(_ kind: Kind, flags: UInt8 = 0, stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let length = [16, 8, 0].map { UInt8(truncatingIfNeeded: payload.count >> $0) }
        return length + [kind.rawValue, flags, 0, 0, 0, stream] + payload
    }

    static func data(_ text: String) -> [UInt8] { bytes(.data, stream: 1, Array(text.utf8)) }
    static func reset(_ code: Code) -> [UInt8] { bytes(.reset, stream: 1, [0, 0, 0, code.rawValue]) }

    static func goAway(lastStream: UInt8, _ code: Code) -> [UInt8] {
        bytes(.goAway, stream: 0, [0, 0, 0, lastStream, 0, 0, 0, code.rawValue])
    }

    /// A literal of less than 127 bytes; remembered in the table under 62, or not: RFC 7541 section 6.2.
    static func field(_ name: String, _ value: String, isRemembered: Bool = false) -> [UInt8] {
        let strings = [name, value].flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        return [isRemembered ? 0x40 : 0] + strings
    }
}
