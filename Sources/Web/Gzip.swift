import CZlib

/// Compresses a stream of chunks into the gzip format (RFC 1952). For one task at a time.
final class Gzip {
    struct Failure: Error {
        /// zlib's code.
        var code: Int32
    }

    /// zlib keeps a pointer to it, so it may not move.
    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(Failure) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 is the largest window, 16 more asks for gzip's header. The fastest level: pages are so repetitive that the
        // others gain little, and the processor is the probes'.
        let code = deflateInit2_(
            stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            stream.deallocate()
            throw Failure(code: code)
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    static func packed(_ bytes: [UInt8]) throws(Failure) -> [UInt8] {
        let gzip = try Gzip()
        return try gzip.compress(bytes) + gzip.finish()
    }

    /// What comes out for this chunk, which may be nothing yet.
    func compress(_ chunk: [UInt8]) throws(Failure) -> [UInt8] { try run(chunk, flush: Z_NO_FLUSH) }

    /// What is left. Nothing may follow.
    func finish() throws(Failure) -> [UInt8] { try run([], flush: Z_FINISH) }

    private func run(_ input: [UInt8], flush: Int32) throws(Failure) -> [UInt8] {
        var input = input
        var output: [UInt8] = []
        var code = Z_OK
        var part = [UInt8](repeating: 0, count: 16 << 10)
        input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = UInt32(input.count)
            repeat {
                let made = part.withUnsafeMutableBufferPointer { part in
                    stream.pointee.next_out = part.baseAddress
                    stream.pointee.avail_out = UInt32(part.count)
                    code = deflate(stream, flush)
                    return part.count - Int(stream.pointee.avail_out)
                }
                output += part[..<made]
            } while code == Z_OK && stream.pointee.avail_out == 0
            stream.pointee.next_in = nil
        }
        // Z_BUF_ERROR says that there was nothing to do, which is no error.
        guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { throw Failure(code: code) }
        return output
    }
}
