import FoundationEssentials
import Health

/// Takes secrets out of what a server said, before anything of it is kept.
///
/// A server may say a secret again as it is, in parts, or in the form of a URL, of JSON or of HTML. What is looked for is made of the policy's
/// secrets, of the values of cookies that were set on the way, and of the values of the probed URLs' queries.
struct Redaction {
    /// A shorter one is no secret, and would be found everywhere.
    private static let secretMin = 4
    /// Of a part of a secret, unless it has nothing but letters.
    private static let partMin = 6
    private static let partOfLettersMin = 16
    /// Besides the credentials the longest are looked for: a body of the configuration may have thousands of parts, and a server may set as many
    /// cookies as it likes.
    private static let formsMax = 256

    static let replacement = Array("…".utf8)

    /// In lower case, by their first byte, the longest first.
    private let forms: [UInt8: [[UInt8]]]

    /// - Parameters:
    ///   - credentials: of the policy's headers, as they are sent.
    ///   - others: secrets of other places. A server has a part in how many they are.
    init(_ credentials: [String], besides others: [String]) {
        let others = Self.longestFirst(Self.allForms(of: others)).prefix(Self.formsMax)
        forms = Dictionary(grouping: Self.longestFirst(Self.allForms(of: credentials).union(others)), by: { $0[0] })
    }

    private static func longestFirst(_ forms: Set<[UInt8]>) -> [[UInt8]] {
        forms.sorted { $0.count != $1.count ? $0.count > $1.count : $0.lexicographicallyPrecedes($1) }
    }

    private static func allForms(of texts: [String]) -> Set<[UInt8]> {
        Set(Set(texts.flatMap(parts)).flatMap(forms).map { $0.utf8.map(lowercased) })
    }

    /// The text, what stands behind the scheme of credentials, the password of `Basic`, and what looks like a token within it.
    private static func parts(of text: String) -> [String] {
        var parts = text.utf8.count >= secretMin ? [text] : []
        if let blank = text.firstIndex(of: " "), text[..<blank].allSatisfy({ $0.isLetter || $0 == "-" }) {
            let credentials = String(text[text.index(after: blank)...])
            if credentials.utf8.count >= secretMin { parts.append(credentials) }
            if text[..<blank].lowercased() == "basic",
                let pair = Data(base64Encoded: credentials).map({ String(decoding: $0, as: UTF8.self) })
            {
                parts += ([pair] + pair.split(separator: ":", maxSplits: 1).dropFirst().map(String.init)).filter {
                    $0.utf8.count >= secretMin
                }
            }
        }
        return parts + text.split { " \t\r\n;,=&:\"'{}[]()<>".contains($0) }.map(String.init).filter(looksLikeToken)
    }

    private static func looksLikeToken(_ part: String) -> Bool {
        part.utf8.count >= (part.allSatisfy(\.isLetter) ? partOfLettersMin : partMin)
    }

    private static func forms(of text: String) -> [String] {
        let percent = String(decoding: text.utf8.flatMap { isUnreserved($0) ? [$0] : Hex.percentEncoded($0) }, as: UTF8.self)
        let html = text.replacing("&", with: "&amp;").replacing("\"", with: "&quot;").replacing("<", with: "&lt;").replacing(
            ">", with: "&gt;")
        let json = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return [text, percent, html, json, json.replacing("/", with: "\\/")]
    }

    /// RFC 3986 section 2.3.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (97...122).contains(byte | 0x20) || "-._~".utf8.contains(byte)
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 0x20 : byte }

    /// The same bytes without secrets, whatever the case of their letters. What the end of the bytes cuts through is left off.
    func cleaned(_ bytes: [UInt8]) -> [UInt8] {
        guard !forms.isEmpty, !bytes.isEmpty else { return bytes }
        var lower = bytes.map(Self.lowercased)
        lower.removeLast(beginningOfSecret(atEndOf: lower))
        var cleaned: [UInt8] = []
        cleaned.reserveCapacity(lower.count)
        var place = 0
        while place < lower.count {
            if let form = forms[lower[place]]?.first(where: { Self.stands($0, in: lower, at: place) }) {
                cleaned += Self.replacement
                place += form.count
            } else {
                cleaned.append(bytes[place])
                place += 1
            }
        }
        return cleaned
    }

    private static func stands(_ form: [UInt8], in bytes: [UInt8], at place: Int) -> Bool {
        bytes.count - place >= form.count && bytes[place...].starts(with: form)
    }

    /// How many bytes at the end are the beginning of a secret that goes on behind it; 0 for fewer than would be one.
    private func beginningOfSecret(atEndOf bytes: [UInt8]) -> Int {
        let longest = forms.values.reduce(0) { max($0, $1[0].count - 1) }
        for length in stride(from: min(longest, bytes.count), through: Self.secretMin, by: -1) {
            let end = bytes[(bytes.count - length)...]
            if forms[end[end.startIndex]]?.contains(where: { $0.count > length && $0.starts(with: end) }) ?? false {
                return length
            }
        }
        return 0
    }
}
