// TestSupport: what the tests of several modules share: servers on loopback that answer exactly what a test tells them to, also what no
// server should; a client that sends a request's bytes as they are; a clock that a test moves; a folder that goes away; lists of the
// Targets API. What doesn't: anything that one module's tests alone need (that is in their own Support), and anything that knows a
// type of ours: no module is imported here, so that no module's tests build another's. Nothing of it is for production. Where it goes
// next: a part moves here when a second module's tests want it.

/// One request as it came.
package struct LoopbackRequest: Sendable {
    package var method: String
    /// Path and query, as on the wire.
    package var path: String
    /// Names in lower case.
    package var headers: [String: String]
    package var body: String
}

/// What a connection gets.
package enum LoopbackReply: Sendable {
    /// A whole answer with a `Content-Length`, then the connection is closed.
    case http(Int, headers: [String] = [], body: String = "")
    /// These bytes and nothing else, then the connection is closed.
    case raw(String)
    /// These bytes again and again until the client is gone or so many were sent.
    case endless(head: String, chunk: String, bytesMax: Int)
    /// Nothing, until the client goes.
    case silence
    /// A TCP reset.
    case reset
}

/// An HTTP server on loopback that takes one request a connection.
package final class LoopbackServer: Sendable {
    private let server: ConnectionServer
    private let log = Watched<[LoopbackRequest]>([])

    package var port: Int { server.port }
    package var url: String { "http://\(address):\(port)" }
    private let address: String
    /// All requests so far, in the order of their arrival.
    package var requests: [LoopbackRequest] { log.value }

    /// Returns once the requests so far are as wanted.
    package func until(_ isWanted: @escaping @Sendable ([LoopbackRequest]) -> Bool) async throws { try await log.until(isWanted) }

    /// Returns once no connection is open any more.
    package func untilQuiet() async throws { try await server.untilQuiet() }

    /// `respond` is called on the connection's thread.
    package init(address: String = "127.0.0.1", _ respond: @escaping @Sendable (LoopbackRequest) -> LoopbackReply) throws {
        self.address = address
        server = try ConnectionServer(address: address) { [log] connection in
            guard let request = LoopbackRequest(connection) else { return }
            log.change { $0.append(request) }
            respond(request).send(over: connection)
        }
    }
}

extension LoopbackRequest {
    /// Reads up to the end of the body; none when the client ends before it.
    fileprivate init?(_ connection: Connection) {
        var received: [UInt8] = []
        while true {
            if let head = HTTPHead(received), received.count - head.end >= Int(head.headers["content-length"] ?? "") ?? 0 {
                guard head.words.count > 1 else { return nil }
                self.init(
                    method: head.words[0], path: head.words[1], headers: head.headers,
                    body: String(decoding: received[head.end...], as: UTF8.self))
                return
            }
            guard let more = connection.readBytes() else { return nil }
            received += more
        }
    }
}

extension LoopbackReply {
    fileprivate func send(over connection: Connection) {
        switch self {
        case .http(let status, let headers, let body):
            let lines = ["HTTP/1.1 \(status) x", "Content-Length: \(body.utf8.count)", "Connection: close"] + headers
            connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
        case .raw(let text): connection.send(text)
        case .endless(let head, let chunk, let bytesMax):
            let bytes = Array(chunk.utf8)
            var sent = 0
            guard connection.send(head) else { break }
            while sent < bytesMax, connection.send(bytes) { sent += bytes.count }
        case .silence: connection.waitForClose()
        case .reset: connection.reset()
        }
    }
}
