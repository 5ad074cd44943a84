import Exposition
import Foundation
import Glibc
import Health
import Synchronization
import Testing

@testable import Web

/// A listener on loopback and a port of its own, for the time of one closure.
func withServer(
    admin: Bool = false, missing: [String] = [], targets: TargetSeries = TargetSeries(),
    action: WebServer.ActionResult = .done("it is done"), asked: Asked = Asked(),
    _ body: @Sendable @escaping (Int) async throws -> Void
) async throws {
    let daemon = DaemonMetrics(build: ["version": "0.1.0"], loadedAt: Timestamp(milliseconds: 0))
    let (ports, listening) = AsyncStream<Int>.makeStream()
    let server = WebServer(
        configuration: .init(host: "127.0.0.1", port: 0, names: ["monitor"], admin: admin, version: "0.1.0<&"),
        daemon: .init(
            page: { MetricsPage(format: $0, selection: $1, targets: targets, daemon: daemon) },
            readiness: { missing },
            reload: {
                asked.note("reload")
                return action
            },
            sync: {
                asked.note("sync \($0)")
                return action
            }),
        onListening: { listening.yield($0) })
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        group.addTask {
            guard let port = await ports.first(where: { _ in true }) else { return }
            try await body(port)
        }
        try await group.next()
        group.cancelAll()
    }
}

/// What the listener asked the daemon for.
final class Asked: Sendable {
    private let notes = Mutex<[String]>([])
    var all: [String] { notes.withLock { $0 } }
    func note(_ text: String) { notes.withLock { $0.append(text) } }
}

struct Answer: Sendable {
    var status: Int
    /// Names in lower case.
    var headers: [String: String]
    var body: [UInt8]
    var text: String { String(decoding: body, as: UTF8.self) }
}

enum ClientError: Error { case noConnection, noAnswer }

/// Sends a request, byte for byte, and reads to the end of the connection; every read has a time limit.
func exchange(_ port: Int, _ request: String) async throws -> Answer {
    // Blocking calls get a thread of their own: the tests share few with the listener.
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try blockingExchange(port, request) }) }
    }
}

/// A request with the usual headers; the connection ends with the answer.
func ask(
    _ port: Int, _ method: String, _ path: String, host: String? = "127.0.0.1", _ headers: [String: String] = [:]
) async throws -> Answer {
    var lines = ["\(method) \(path) HTTP/1.1", "Connection: close"]
    if let host { lines.append("Host: \(host)") }
    lines += headers.map { "\($0.key): \($0.value)" }
    return try await exchange(port, lines.joined(separator: "\r\n") + "\r\n\r\n")
}

/// Checks an answer's status.
func expect(_ status: Int, of answer: Answer, at location: SourceLocation = #_sourceLocation) {
    #expect(answer.status == status, sourceLocation: location)
}

func connected(_ port: Int) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard result == 0 else {
        close(descriptor)
        throw ClientError.noConnection
    }
    return descriptor
}

func sendAll(_ descriptor: Int32, _ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard sent > 0 else { return }
        rest = rest.dropFirst(sent)
    }
}

private func blockingExchange(_ port: Int, _ request: String) throws -> Answer {
    let descriptor = try connected(port)
    defer { close(descriptor) }
    sendAll(descriptor, request)
    var received: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = recv(descriptor, &part, part.count, 0)
        guard count > 0 else { break }
        received += part[..<count]
    }
    return try parse(received)
}

private func parse(_ bytes: [UInt8]) throws -> Answer {
    let blank = Array("\r\n\r\n".utf8)
    guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: blank) }) else { throw ClientError.noAnswer }
    let lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ")
    guard words.count > 1, let status = Int(words[1]) else { throw ClientError.noAnswer }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1)
        headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
    }
    let body = bytes[(end + 4)...]
    return Answer(
        status: status, headers: headers, body: headers["transfer-encoding"] == "chunked" ? try unchunked(body) : Array(body))
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
    throw ClientError.noAnswer
}
