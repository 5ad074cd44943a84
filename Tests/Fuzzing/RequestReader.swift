/// Tells where requests end in what a client sends, in HTTP/1.1 or in HTTP/2 with prior knowledge. The client is ours, so nothing is judged.
struct RequestReader {
    private var bytes: [UInt8] = []
    private var waiting = 0
    private var speaksFrames = false
    /// The next request had its answer before it came.
    var isOneAnswered = false

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    var hasOne: Bool { waiting > 0 }

    mutating func receive(_ more: UnsafeRawBufferPointer) {
        bytes += more
        if !speaksFrames, bytes.starts(with: Self.preface) {
            speaksFrames = true
            bytes.removeFirst(Self.preface.count)
        }
        while let end = speaksFrames ? readFrame() : readRequest() { bytes.removeFirst(end) }
    }

    /// Whether there is a request to answer, which is answered from here on.
    mutating func take() -> Bool {
        if waiting > 0, isOneAnswered { (isOneAnswered, waiting) = (false, waiting - 1) }
        guard waiting > 0 else { return false }
        waiting -= 1
        return true
    }

    private mutating func readFrame() -> Int? {
        guard bytes.count >= 9 else { return nil }
        let length = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
        guard bytes.count >= 9 + length else { return nil }
        let isHeaders = bytes[3] == 1
        if isHeaders { waiting += 1 }
        return 9 + length
    }

    private mutating func readRequest() -> Int? {
        let end: [UInt8] = [13, 10, 13, 10]
        guard bytes.count >= 4, !Self.preface.starts(with: bytes),
            let headEnd = bytes.indices.dropLast(3).first(where: { bytes[$0] == 13 && bytes[$0..<$0 + 4].elementsEqual(end) })
        else { return nil }
        let head = String(decoding: bytes[..<headEnd], as: UTF8.self).lowercased()
        let length = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst("content-length:".count).drop { $0 == " " }) }
        let whole = headEnd + 4 + (length ?? 0)
        guard bytes.count >= whole else { return nil }
        waiting += 1
        return whole
    }
}
