/// Reads a DNS message from its beginning. Each function answers nil past the end, and where the bytes can't be what they should be.
struct DNSReader {
    struct Header {
        var isResponse: Bool
        var responseCode: UInt8
        var questions: UInt16
        var answers: UInt16
    }

    struct Record {
        var name: DNSName
        var type: UInt16
        var recordClass: UInt16
        /// Seconds.
        var timeToLive: UInt32
        /// Where its data is.
        var data: Range<Int>
    }

    /// A name of 255 bytes has at most 127 labels, and a pointer is needed for none but a label.
    private static let pointersMax = 127

    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    /// The bytes stay where they are for as long as the reader is used.
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func header() -> Header? {
        guard bytes.count >= DNSMessage.headerBytes, uint16() != nil, let flags = uint16(), let questions = uint16(),
            let answers = uint16(), uint16() != nil, uint16() != nil
        else { return nil }
        let operation = flags >> 11 & 0xf
        return Header(
            isResponse: flags >> 15 == 1 && operation == 0, responseCode: UInt8(flags & 0xf), questions: questions,
            answers: answers
        )
    }

    mutating func record() -> Record? {
        guard let name = name(), let type = uint16(), let recordClass = uint16(), let high = uint16(), let low = uint16(),
            let count = uint16(), bytes.count - offset >= Int(count)
        else { return nil }
        let data = offset..<(offset + Int(count))
        offset = data.upperBound
        // With the highest bit it is none (RFC 2181 section 8).
        let timeToLive = UInt32(high) << 16 | UInt32(low)
        return Record(
            name: name, type: type, recordClass: recordClass, timeToLive: timeToLive >> 31 == 1 ? 0 : timeToLive, data: data)
    }

    mutating func uint16() -> UInt16? {
        guard bytes.count - offset >= 2 else { return nil }
        defer { offset += 2 }
        return UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
    }

    mutating func name() -> DNSName? {
        guard let (name, end) = readName(at: offset) else { return nil }
        offset = end
        return name
    }

    /// One that stands elsewhere.
    func name(at offset: Int) -> DNSName? { readName(at: offset)?.name }

    /// A pointer leads to an earlier place than the one before (RFC 1035 section 4.1.4: "a prior occurance"), so that no message has a loop.
    private func readName(at start: Int) -> (name: DNSName, end: Int)? {
        var name: [UInt8] = []
        var (position, earliest) = (start, start)
        var end: Int?
        var pointers = 0
        while position < bytes.count {
            let length = Int(bytes[position])
            switch length >> 6 {
            case 0:
                guard bytes.count - position > length, name.count + length + 1 <= DNSName.bytesMax else { return nil }
                name.append(UInt8(length))
                position += 1
                if length == 0 { return (DNSName(bytes: name), end ?? position) }
                name += bytes[position..<(position + length)].lazy.map(inLowerCase)
                position += length
            case 3:
                guard bytes.count - position > 1 else { return nil }
                let target = (length & 0x3f) << 8 | Int(bytes[position + 1])
                pointers += 1
                guard target < earliest, pointers <= Self.pointersMax else { return nil }
                end = end ?? position + 2
                (position, earliest) = (target, target)
            default: return nil
            }
        }
        return nil
    }
}
