import Foundation
import Glibc

/// One answer, read to the end of its connection.
struct WireAnswer: Sendable {
    let status: Int
    /// By lowercased name.
    let headers: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
}

struct WireError: Error { let what: String }

/// The bytes that a request has on the wire.
struct WireRequest {
    var method = "GET"
    var path: String
    var headers: [(String, String)]
    var body: String?

    init(
        _ method: String, _ path: String, token: String? = registryToken, headers: [(String, String)] = [], body: String? = nil
    ) {
        (self.method, self.path, self.body) = (method, path, body)
        self.headers = headers
        if !headers.contains(where: { $0.0 == "Host" }) { self.headers.append(("Host", "127.0.0.1")) }
        if let token { self.headers.append(("Authorization", token)) }
        if body != nil, !headers.contains(where: { $0.0 == "Content-Type" }) {
            self.headers.append(("Content-Type", "application/json"))
        }
    }

    var bytes: [UInt8] {
        var text = "\(method) \(path) HTTP/1.1\r\nConnection: close\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
        return Array((text + "\r\n" + (body ?? "")).utf8)
    }
}

/// Sends over a fresh connection, on a thread that may block.
func exchange(port: Int, _ request: WireRequest) async throws -> WireAnswer {
    try await exchange(port: port, bytes: request.bytes)
}

func exchange(port: Int, bytes: [UInt8]) async throws -> WireAnswer {
    try await withCheckedThrowingContinuation { continuation in
        // Not on a dispatch queue: its threads are those that the server's tasks and database run on.
        Thread.detachNewThread { continuation.resume(with: Result { try blockingExchange(port: port, bytes: bytes) }) }
    }
}

/// A blocking socket that gives up after 20 seconds without progress.
func connectedSocket(port: Int) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw WireError(what: "socket") }
    var patience = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let connected = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard connected == 0 else {
        close(descriptor)
        throw WireError(what: "connect: \(errno)")
    }
    return descriptor
}

private func blockingExchange(port: Int, bytes: [UInt8]) throws -> WireAnswer {
    let descriptor = try connectedSocket(port: port)
    defer { close(descriptor) }
    var sent = 0
    while sent < bytes.count {
        let count = bytes[sent...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        // A server may refuse before it has read everything; its answer is still there to be read.
        guard count > 0 else { break }
        sent += count
    }
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { break }
        received += buffer[..<count]
    }
    return try parse(received)
}

private func parse(_ bytes: [UInt8]) throws -> WireAnswer {
    let mark = Array("\r\n\r\n".utf8)
    guard bytes.count >= 4, let end = (0...(bytes.count - 4)).first(where: { Array(bytes[$0..<$0 + 4]) == mark }) else {
        throw WireError(what: "no head in \(bytes.count) bytes")
    }
    let lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")
    let parts = lines[0].split(separator: " ")
    guard parts.count >= 2, let status = Int(parts[1]) else { throw WireError(what: lines[0]) }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
        guard let colon = line.firstIndex(of: ":") else { continue }
        headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    return WireAnswer(status: status, headers: headers, body: Array(bytes[(end + 4)...]))
}
