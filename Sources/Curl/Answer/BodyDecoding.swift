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
    private var waiting = Waiting()
    /// More has come than was decoded.
    private(set) var isBehind = false

    /// Decoded bytes, for which a processor needs a millisecond or two: what comes in one turn of the engine's thread may decode to 16 MiB.
    static let bytesPerTurn = 1 << 20

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

    /// What of these bytes belongs to the body, in pieces, until `take` has enough and answers false. Past ``bytesPerTurn`` the rest waits for
    /// the next call.
    mutating func decode(
        _ bytes: UnsafeRawBufferPointer, atMost limit: Int = bytesPerTurn, _ take: (UnsafeRawBufferPointer) -> Bool
    ) {
        guard codingCount > 0 else { return _ = take(bytes) }
        guard !bytes.isEmpty || isBehind, problem == nil else { return }
        guard codingCount == 1, let coding = codings.first, Self.inflated.contains(coding) else {
            return problem = BodyProblem(kind: .coding, codings: codings.joined(separator: ", "))
        }
        let inflater = inflater ?? Inflater(coding == "deflate" ? .deflate : .gzip)
        self.inflater = inflater
        if isBehind { waiting.append(contentsOf: bytes) }
        let used = isBehind ? waiting.inflate(by: inflater, atMost: limit, take) : inflater.inflate(bytes, atMost: limit, take)
        guard let used else { return problem = BodyProblem(kind: .broken, codings: coding) }
        if !isBehind, inflater.isBehind { waiting.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[used...])) }
        isBehind = inflater.isBehind
    }
}

/// Bytes that have come and wait to be decoded: no more than a body may have on the wire.
private struct Waiting {
    private var bytes: [UInt8] = []
    private var start = 0

    mutating func append(contentsOf more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }

    mutating func inflate(by inflater: Inflater, atMost limit: Int, _ take: (UnsafeRawBufferPointer) -> Bool) -> Int? {
        let used = bytes.withUnsafeBytes {
            inflater.inflate(UnsafeRawBufferPointer(rebasing: $0[start...]), atMost: limit, take)
        }
        start += used ?? 0
        // Now and then, for it moves all the others.
        if start > bytes.count / 2 {
            bytes.removeFirst(start)
            start = 0
        }
        return used
    }
}

/// A body whose decoding would have held up the engine's thread.
struct PendingBody: @unchecked Sendable {
    // Nobody else has it any more.
    private let decoding: BodyDecoding
    private let request: TransferRequest

    init?(_ decoding: BodyDecoding, _ request: TransferRequest) {
        guard decoding.isBehind else { return nil }
        (self.decoding, self.request) = (decoding, request)
    }

    /// The report with the whole body. Takes as long as it takes.
    func finished(_ report: TransferReport) -> TransferReport {
        var (report, decoding) = (report, decoding)
        decoding.decode(UnsafeRawBufferPointer(start: nil, count: 0), atMost: .max) { report.take($0, of: request) }
        report.bodyProblem = decoding.problem
        if report.bodyLength > request.maxBody {
            report.failure = TransferFailure(.bodyTooLarge, detail: AbortReason.bodyTooLarge(limit: request.maxBody).words)
        }
        return report
    }
}

extension Transfer {
    /// nil of an answer that was decoded as it came, and of none.
    func pendingBody(of report: TransferReport) -> PendingBody? {
        report.failure == nil && report.status != nil ? PendingBody(head.decoding, request) : nil
    }
}

extension TransferReport {
    /// False when that is more than the request wants.
    mutating func take(_ decoded: UnsafeRawBufferPointer, of request: TransferRequest) -> Bool {
        bodyLength += decoded.count
        let room = request.keepBody - body.count
        if room > 0 { body.append(contentsOf: decoded.prefix(room)) }
        return bodyLength <= request.maxBody
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
    /// It stopped at a limit, and there is more to come of what was given to it.
    private(set) var isBehind = false
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

    /// Answers how many of the bytes it is done with; nil when they aren't what they should be, or there is no memory.
    func inflate(_ bytes: UnsafeRawBufferPointer, atMost limit: Int, _ take: (UnsafeRawBufferPointer) -> Bool) -> Int? {
        if isOpen { return inflateAll(bytes, limit, take) }
        guard form == .deflate else { return open(windowBits: 15 + 16) ? inflateAll(bytes, limit, take) : nil }
        var rest = bytes[...]
        guard let first = first ?? rest.popFirst() else { return 0 }
        self.first = first
        guard let second = rest.first else { return bytes.count }
        // RFC 1950 section 2.2; without such a head it is the bare stream.
        let hasHead = first & 0x0f == 8 && (UInt16(first) << 8 | UInt16(second)) % 31 == 0
        guard open(windowBits: hasHead ? 15 : -15), withUnsafeBytes(of: first, { inflateAll($0, limit, take) }) != nil,
            let used = inflateAll(UnsafeRawBufferPointer(rebasing: rest), limit, take)
        else { return nil }
        return bytes.count - rest.count + used
    }

    private func open(windowBits: Int32) -> Bool {
        isOpen = inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        return isOpen
    }

    private func inflateAll(_ bytes: UnsafeRawBufferPointer, _ limit: Int, _ take: (UnsafeRawBufferPointer) -> Bool) -> Int? {
        guard !hasEnded else { return bytes.count }
        // zlib may have more to write of what it has read; it takes no null pointer.
        var none: UInt8 = 0
        return withUnsafeMutablePointer(to: &none) { none in
            let start = bytes.baseAddress?.assumingMemoryBound(to: Bytef.self)
            stream.pointee.next_in = start.map { UnsafeMutablePointer(mutating: $0) } ?? none
            stream.pointee.avail_in = UInt32(clamping: bytes.count)
            let given = Int(stream.pointee.avail_in)
            let isWhole = inflatePieces(limit, take)
            return isWhole ? (hasEnded ? bytes.count : given - Int(stream.pointee.avail_in)) : nil
        }
    }

    private func inflatePieces(_ limit: Int, _ take: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: Self.pieceBytes, alignment: 1) { piece in
            var written = 0
            repeat {
                stream.pointee.next_out = piece.baseAddress?.assumingMemoryBound(to: Bytef.self)
                stream.pointee.avail_out = UInt32(piece.count)
                let code = CZlib.inflate(stream, Z_NO_FLUSH)
                let count = piece.count - Int(stream.pointee.avail_out)
                written += count
                let wantsMore = count == 0 || take(UnsafeRawBufferPointer(rebasing: piece[..<count]))
                hasEnded = code == Z_STREAM_END || !wantsMore
                // There is nothing more to read, or no place to write it, which comes again.
                guard code == Z_OK || code == Z_BUF_ERROR || hasEnded else { return false }
            } while !hasEnded && stream.pointee.avail_out == 0 && written < limit
            isBehind = !hasEnded && stream.pointee.avail_out == 0
            return true
        }
    }
}
