internal import CZlib

/// Why the body of a complete answer isn't there decoded. The answer counts all the same: only those who have to read the body mind.
package struct BodyProblem: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// Compressed in a way that wasn't asked for, or more than once. Nothing of it is kept.
        case coding
        /// What is called gzip or deflate is not. What came before is kept.
        case broken
    }

    package var kind: Kind
    /// The codings as the answer names them, in lower case, at most ``codingsShown`` of them. Foreign text.
    package var codings: String

    static let codingsShown = 4
}

/// From an answer's bytes to its body, as its header fields say (RFC 9110 section 8.4).
///
/// libcurl decodes nothing. A kilobyte of one coding inside another would keep the engine's thread for as long as a server likes, a megabyte
/// of Brotli takes a second, and libcurl ends a transfer for a coding that it doesn't know though there is no body. Here a coding is looked
/// at when a byte of body has come, at most one is decoded, and never more than was asked for.
struct BodyDecoding {
    /// Of the final answer.
    private(set) var problem: BodyProblem?
    private var codings: [String] = []
    private var codingCount = 0
    private var inflater: Inflater?

    /// The IANA registry's codings, in which a body can't be read as it stands. One that isn't here is no coding (`none`, `UTF-8`,
    /// `aws-chunked`): the body is as it stands, as browsers have it.
    private static let registered: Set<String> = [
        "aes128gcm", "br", "compress", "dcb", "dcz", "deflate", "exi", "gzip", "pack200-gzip", "x-compress", "x-gzip", "zstd",
    ]
    private static let inflated: Set<String> = ["gzip", "x-gzip", "deflate"]

    /// Another answer begins.
    mutating func begin() {
        guard codingCount > 0 else { return }
        self = BodyDecoding()
    }

    /// One element of the list in the header field `Content-Encoding`.
    mutating func note(_ coding: Slice<UnsafeRawBufferPointer>) {
        guard coding.count <= 16 else { return }
        let name = String(decoding: coding.lazy.map { (65...90).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
        guard Self.registered.contains(name) else { return }
        codingCount += 1
        if codings.count < BodyProblem.codingsShown { codings.append(name) }
    }

    /// One element of `Transfer-Encoding`: false when the answer's end can't be found, or its content not be read.
    mutating func noteTransfer(_ coding: Slice<UnsafeRawBufferPointer>) -> Bool {
        let name = String(decoding: coding.prefix(16).lazy.map { $0 | 0x20 }, as: UTF8.self)
        if name == "chunked" || name == "identity" { return true }
        note(coding)
        return Self.inflated.contains(name)
    }

    /// What of these bytes belongs to the body, in pieces, until `take` has enough and answers false.
    mutating func decode(_ bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Bool) {
        guard codingCount > 0 else { return _ = take(bytes) }
        guard !bytes.isEmpty, problem == nil else { return }
        guard codingCount == 1, let coding = codings.first, Self.inflated.contains(coding) else {
            return problem = BodyProblem(kind: .coding, codings: codings.joined(separator: ", "))
        }
        let inflater = inflater ?? Inflater(coding == "deflate" ? .deflate : .gzip)
        self.inflater = inflater
        if !inflater.inflate(bytes, take) { problem = BodyProblem(kind: .broken, codings: coding) }
    }
}

/// One stream of gzip (RFC 1952) or deflate (RFC 1950, or 1951 as some servers have it). What follows its end is no part of the body, as in
/// browsers: zeros that fill a block up, or another member.
private final class Inflater {
    enum Form { case gzip, deflate }

    private static let pieceBytes = 32 << 10

    // zlib keeps a pointer to it, so it may not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private let form: Form
    private var isOpen = false
    private var hasEnded = false
    /// Of deflate: the first byte, until the second tells which of the two it is.
    private var first: UInt8?

    init(_ form: Form) {
        self.form = form
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
    }

    deinit {
        if isOpen { inflateEnd(stream) }
        stream.deallocate()
    }

    /// False when it isn't what it should be, or there is no memory.
    func inflate(_ bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        var rest = bytes[...]
        if !isOpen {
            guard form == .deflate else {
                return open(windowBits: 15 + 16) && inflateAll(bytes, take)
            }
            guard let first = first ?? rest.popFirst() else { return true }
            self.first = first
            guard let second = rest.first else { return true }
            // RFC 1950 section 2.2; without such a head it is the bare stream.
            let hasHead = first & 0x0f == 8 && (UInt16(first) << 8 | UInt16(second)) % 31 == 0
            guard open(windowBits: hasHead ? 15 : -15), withUnsafeBytes(of: first, { inflateAll($0, take) }) else { return false }
        }
        return inflateAll(UnsafeRawBufferPointer(rebasing: rest), take)
    }

    private func open(windowBits: Int32) -> Bool {
        isOpen = inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        return isOpen
    }

    private func inflateAll(_ bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        guard !hasEnded, let start = bytes.baseAddress else { return true }
        stream.pointee.next_in = UnsafeMutablePointer(mutating: start.assumingMemoryBound(to: Bytef.self))
        stream.pointee.avail_in = UInt32(bytes.count)
        return withUnsafeTemporaryAllocation(byteCount: Self.pieceBytes, alignment: 1) { piece in
            repeat {
                stream.pointee.next_out = piece.baseAddress?.assumingMemoryBound(to: Bytef.self)
                stream.pointee.avail_out = UInt32(piece.count)
                let code = CZlib.inflate(stream, Z_NO_FLUSH)
                let count = piece.count - Int(stream.pointee.avail_out)
                let wantsMore = count == 0 || take(UnsafeRawBufferPointer(rebasing: piece[..<count]))
                hasEnded = code == Z_STREAM_END || !wantsMore
                // There is nothing more to read, or no place to write it, which comes again.
                guard code == Z_OK || code == Z_BUF_ERROR || hasEnded else { return false }
            } while !hasEnded && stream.pointee.avail_out == 0
            return true
        }
    }
}
