import Health
import TestSupport

extension HostileTargets {
    private static let start = "HTTP/1.1 200 OK\r\n"
    private static let chunked = start + "Transfer-Encoding: chunked\r\n\r\n"

    /// Bodies without end, bodies that grow, bodies that are none.
    static let bodies: [HostileCase] = [
        .answering("has a body that makes a pattern explode", .bodyMismatch, policy: { $0.bodyMatches = "^(a+)+$" }) {
            $0.send(start + "Content-Length: 41\r\n\r\n" + String(repeating: "a", count: 40) + "!")
        },
        .answering(
            "nests its JSON without end", .bodyMismatch,
            policy: { policy in
                policy.bodyJSON = JSONPath("$.a").map { BodyJSON(path: $0, equals: .null) }
            }
        ) {
            $0.send(start + "Content-Length: 200000\r\n\r\n" + String(repeating: "[", count: 200_000))
        },
        .answering("has a body without end", .bodyTooLarge) {
            $0.send(start + "\r\n")
            $0.sendForEver(String(repeating: "x", count: 65_536))
        },
        .answering("has chunks without end", .bodyTooLarge) {
            $0.send(chunked)
            $0.sendForEver("1000\r\n\(String(repeating: "x", count: 0x1000))\r\n")
        },
        .answering("promises a body of 10 TB", .bodyTooLarge) {
            $0.send(start + "Content-Length: 10000000000000\r\n\r\n")
            $0.sendForEver(String(repeating: "x", count: 65_536))
        },
        .answering("has a body without end after a status that was not expected", .statusUnexpected) {
            $0.send("HTTP/1.1 503 Busy\r\n\r\n")
            $0.sendForEver(String(repeating: "x", count: 65_536))
        },
        .answering("has a chunk whose size is none", .protocolError) { $0.send(chunked + "zz\r\nabc\r\n") },
        .answering("has a chunk whose size is past all numbers", .protocolError) {
            $0.send(chunked + "FFFFFFFFFFFFFFFFFFFFFF\r\nabc\r\n")
        },
        .answering("has chunks that end too early", .protocolError) { $0.send(chunked + "3\r\nabc\r\n") },
        .answering("has trailers without end", .protocolError) {
            $0.send(chunked + "3\r\nabc\r\n0\r\n")
            $0.sendForEver("X-More: and more\r\n")
        },
        .answering("has a chunk's extension without end", .protocolError) {
            $0.send(chunked + "3;")
            $0.sendForEver(String(repeating: "and more ", count: 1000))
        },
        .answering("sends a gzip bomb of 10 GiB", .bodyTooLarge) { $0.sendBomb(Bomb.gzip, encodings: "gzip") },
        .answering("sends a gzip bomb in a gzip bomb", nil) { $0.sendBomb(Bomb.nested, encodings: "gzip, gzip") },
        .answering(
            "sends a gzip bomb in a gzip bomb where the body is to be read", .bodyMismatch, policy: { $0.bodyMatches = "ok" }
        ) {
            $0.sendBomb(Bomb.nested, encodings: "gzip, gzip")
        },
        .answering("sends Brotli where the body is to be read", .bodyMismatch, policy: { $0.bodyMatches = "ok" }) {
            $0.send(start + "Content-Encoding: br\r\nContent-Length: 7\r\n\r\n")
            $0.send([0x0b, 0x00, 0x80, 0x6f, 0x6b, 0x03, 0x00])
        },
        .answering("sends gzip that decodes to nothing, for ever", .bodyTooLarge) {
            $0.send(start + "Content-Encoding: gzip\r\n\r\n")
            $0.send(Deflate.gzipHead)
            $0.sendForEver(Array(repeatElement(Deflate.emptyBlock, count: 2000).joined()))
        },
        .answering("sends gzip that is none", .protocolError) {
            $0.send(start + "Content-Encoding: gzip\r\nContent-Length: 11\r\n\r\nhello world")
        },
        .answering("names more encodings than anyone would", .bodyTooLarge) {
            let encodings = Array(repeating: "gzip", count: 50).joined(separator: ", ")
            $0.send(start + "Content-Encoding: \(encodings)\r\n\r\n")
            $0.sendForEver([UInt8](repeating: 0, count: 65_536))
        },
    ]
}

/// Few bytes that decode to very many.
private struct Bomb {
    let head: [UInt8]
    /// Comes again and again after the head.
    let block: [UInt8]
    let count: Int

    /// A block of 10 KiB decodes to 10 MiB of zeros, and comes 1024 times.
    static let gzip = Bomb(head: Deflate.gzipHead, block: Deflate.zeros(count: 10 << 20), count: 1024)

    /// What the bomb above is on the wire, packed once more: a few hundred bytes for every 10 MiB in the end.
    static let nested = Bomb(
        head: Deflate.gzipHead + Deflate.deflated(gzip.head), block: Deflate.deflated(gzip.block), count: 1024)
}

extension Connection {
    fileprivate func sendBomb(_ bomb: Bomb, encodings: String) {
        guard send("HTTP/1.1 200 OK\r\nContent-Encoding: \(encodings)\r\n\r\n"), send(bomb.head) else { return }
        for _ in 0..<bomb.count where !send(bomb.block) { return }
    }
}
