import CZlib

/// Pieces of a gzip stream (RFC 1951 and 1952) that can be put behind one another in any number, each ending on a byte.
enum Deflate {
    /// Without a name, a time or anything else.
    static let gzipHead: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
    /// A stored block without anything in it.
    static let emptyBlock: [UInt8] = [0, 0, 0, 0xff, 0xff]

    static func zeros(count: Int) -> [UInt8] { deflated([UInt8](repeating: 0, count: count)) }

    /// Blocks that don't refer to what came before them, none of them the last; none at all when zlib has no memory.
    static func deflated(_ bytes: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        // A negative window means neither head nor trailer.
        guard
            deflateInit2_(
                &stream, Z_BEST_COMPRESSION, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { return [] }
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))) + 64)
        let unused = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
                (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(output.count))
                return deflate(&stream, Z_FULL_FLUSH) == Z_OK ? Int(stream.avail_out) : output.count
            }
        }
        output.removeLast(unused)
        return output
    }
}
