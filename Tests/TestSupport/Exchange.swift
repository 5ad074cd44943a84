import Foundation

/// One answer, read to the end of its connection.
package struct WireAnswer: Sendable {
    package let status: Int
    /// By lowercased name.
    package let headers: [String: String]
    /// Without the chunks that it came in.
    package let body: [UInt8]

    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// A request that ends its connection with the answer.
package struct WireRequest: Sendable {
    package var method: String
    package var path: String
    package var host: String?
    package var headers: [(String, String)]
    package var body: String?

    package init(
        _ method: String, _ path: String, host: String? = "127.0.0.1", headers: [(String, String)] = [], body: String? = nil
    ) {
        (self.method, self.path, self.host, self.headers, self.body) = (method, path, host, headers, body)
    }

    /// As it stands on the wire.
    package var text: String {
        var lines = ["\(method) \(path) HTTP/1.1", "Connection: close"]
        if let host { lines.append("Host: \(host)") }
        lines += headers.map { "\($0): \($1)" }
        if let body { lines.append("Content-Length: \(body.utf8.count)") }
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
    }
}

package func exchange(_ port: Int, _ request: WireRequest) async throws -> WireAnswer { try await exchange(port, request.text) }

/// Sends a text, byte for byte, over a connection of its own, and reads to the end.
///
/// - Throws: when that doesn't come and the server is silent for 30 seconds, which is less than any server here is idle for.
package func exchange(_ port: Int, _ text: String) async throws -> WireAnswer {
    try await onThread {
        let connection = try Connection(port: port)
        defer { connection.close() }
        // A server may refuse before it has read everything; its answer is still there to be read.
        connection.send(text)
        return try WireAnswer(try connection.readToEnd())
    }
}

/// Does what blocks on a thread of its own: the pool's are few, and the servers under test run on them.
package func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}

extension WireAnswer {
    fileprivate init(_ bytes: [UInt8]) throws {
        guard let head = HTTPHead(bytes), head.words.count > 1, let status = Int(head.words[1]) else {
            throw SupportError("no answer in \(bytes.count) bytes")
        }
        let body = bytes[head.end...]
        let isChunked = head.headers["transfer-encoding"] == "chunked"
        self.init(status: status, headers: head.headers, body: isChunked ? try unchunked(body) : Array(body))
    }
}

private func unchunked(_ bytes: ArraySlice<UInt8>) throws -> [UInt8] {
    var (rest, body) = (bytes, [UInt8]())
    while let lineEnd = rest.firstIndex(of: UInt8(ascii: "\r")),
        let size = Int(String(decoding: rest[..<lineEnd], as: UTF8.self), radix: 16)
    {
        if size == 0 { return body }
        guard lineEnd + 2 + size + 2 <= rest.endIndex else { break }
        body += rest[(lineEnd + 2)..<(lineEnd + 2 + size)]
        rest = rest[(lineEnd + 2 + size + 2)...]
    }
    // An answer that ends without its last chunk was cut short.
    throw SupportError("an answer without its last chunk")
}
