/// The header fields of an answer, as they came. libcurl would hand them out one by one, and look through all of them for each: 64 KiB of short
/// ones would keep the engine's thread for three seconds.
struct HeaderFields {
    private var lines: [[UInt8]] = []

    /// Another answer begins.
    mutating func begin() { lines.removeAll() }

    /// One line with its end. One that begins with a blank goes on with the line before it (RFC 9112 section 5.2).
    mutating func note(_ line: UnsafeRawBufferPointer) {
        let text = line.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        guard let first = text.first else { return }
        let isFolded = first == UInt8(ascii: " ") || first == UInt8(ascii: "\t")
        guard isFolded else { return lines.append(Array(text)) }
        guard !lines.isEmpty else { return }
        lines[lines.count - 1] += [UInt8(ascii: " ")] + text.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    /// In the order in which they came.
    var fields: [(name: String, value: [UInt8])] {
        lines.compactMap { line in
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
            var value = line[(colon + 1)...].drop(while: isBlank)
            while let last = value.last, isBlank(last) { value.removeLast() }
            return (String(decoding: line[..<colon], as: UTF8.self), Array(value))
        }
    }
}
