/// The header lines of an answer, read as they come (RFC 9112). It needs no socket and no handle.
///
/// Interim answers (1xx) come before the final one. Trailers come after the body. A status line begins another answer.
struct AnswerHead {
    enum Fault: Hashable, CaseIterable {
        case lengthUnclear, codingUnknown, tooLong
    }

    /// Bytes of all header lines together. Interim answers and trailers count too, so that none of them can go on for ever.
    static let byteLimit = 64 * 1024
    /// libcurl itself takes as many of one answer.
    static let setCookiesMax = 50

    private(set) var byteCount = 0
    /// The empty line has come. libcurl also calls an answer complete that was closed in the middle of its headers.
    private(set) var isComplete = false
    /// Of the answer at hand, byte for byte.
    private(set) var setCookies: [[UInt8]] = []
    /// Of the answer at hand, when the request keeps them.
    private(set) var fields = HeaderFields()
    /// The beginning of the answer at hand, as it came: as many bytes as the request keeps.
    private(set) var text: [UInt8] = []
    /// Knows the codings that the header names. The body goes through it.
    var decoding = BodyDecoding()
    /// By the answer at hand.
    private var declaredLength: Int?
    private let isOfHEAD: Bool
    private let keepsFields: Bool
    private let textMax: Int

    init(_ request: TransferRequest) {
        isOfHEAD = request.method == "HEAD"
        keepsFields = request.keepHeaders
        textMax = request.keepHead
    }

    /// One line with its end. Answers what is wrong with it.
    ///
    /// - Parameter status: of the answer at hand, as libcurl reads it.
    mutating func read(_ line: UnsafeRawBufferPointer, status: @autoclosure () -> Int) -> Fault? {
        byteCount += line.count
        defer { keep(line) }
        let fault = line.starts(with: "HTTP/".utf8) ? begin() : readField(line, status)
        return fault ?? (byteCount > Self.byteLimit ? .tooLong : nil)
    }

    /// Without trailers.
    private mutating func keep(_ line: UnsafeRawBufferPointer) {
        guard !isComplete, text.count < textMax else { return }
        if text.isEmpty { text.reserveCapacity(min(textMax, 1024)) }
        // As a buffer of its own, which is copied at once and not byte by byte.
        text.append(contentsOf: UnsafeRawBufferPointer(rebasing: line.prefix(textMax - text.count)))
    }

    private mutating func begin() -> Fault? {
        (isComplete, declaredLength) = (false, nil)
        decoding.begin()
        setCookies.removeAll()
        text.removeAll(keepingCapacity: true)
        fields.begin()
        return nil
    }

    private mutating func readField(_ line: UnsafeRawBufferPointer, _ status: () -> Int) -> Fault? {
        if line.first == UInt8(ascii: "\r") || line.first == UInt8(ascii: "\n") {
            isComplete = true
            return nil
        }
        guard agreesOnLength(line) else { return .lengthUnclear }
        // What follows is a trailer, which changes nothing of the body.
        guard !isComplete else { return nil }
        let isReadable = noteCodings(line, status)
        if setCookies.count < Self.setCookiesMax, let cookie = Self.value(of: line, named: "set-cookie:") {
            setCookies.append(Array(cookie))
        }
        if keepsFields { fields.note(line) }
        return isReadable ? nil : .codingUnknown
    }

    /// RFC 9112 section 6.3: where lengths differ, or are no numbers, nobody knows the end of the answer. libcurl takes the last of several
    /// lengths, and none for a length that is past all numbers.
    private mutating func agreesOnLength(_ line: UnsafeRawBufferPointer) -> Bool {
        for digits in Self.elements(of: line, named: "content-length:") {
            guard digits.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(String(decoding: digits, as: UTF8.self)),
                length == declaredLength ?? length
            else { return false }
            declaredLength = length
        }
        return true
    }

    /// The coding of a body matters once the body comes. What frames a body must be known: false when it isn't.
    private mutating func noteCodings(_ line: UnsafeRawBufferPointer, _ status: () -> Int) -> Bool {
        for coding in Self.elements(of: line, named: "content-encoding:") where !coding.isEmpty { decoding.note(coding) }
        let isFramed = Self.elements(of: line, named: "transfer-encoding:").allSatisfy { $0.isEmpty || decoding.noteTransfer($0) }
        return isFramed || !hasBody(status())
    }

    /// RFC 9112 section 6.3: these have no body, whatever their headers say.
    private func hasBody(_ status: Int) -> Bool { !isOfHEAD && status >= 200 && status != 204 && status != 304 }

    /// Of a header line whose value is a list (RFC 9110 section 5.6.1); none of a line with another name.
    private static func elements(of line: UnsafeRawBufferPointer, named name: StaticString) -> [Slice<UnsafeRawBufferPointer>] {
        value(of: line, named: name)?.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map(\.trimmed) ?? []
    }

    /// nil of a line with another name.
    private static func value(of line: UnsafeRawBufferPointer, named name: StaticString) -> Slice<UnsafeRawBufferPointer>? {
        let name = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        guard line.count > name.count, zip(line, name).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) else { return nil }
        return line.dropFirst(name.count).trimmed
    }
}

extension Slice<UnsafeRawBufferPointer> {
    /// Without white space and the line's end.
    fileprivate var trimmed: Self {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d || $0 == 0x0a }
        var rest = drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return rest
    }
}
