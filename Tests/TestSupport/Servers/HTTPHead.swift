import Foundation

/// What stands before the empty line of a request or an answer.
struct HTTPHead {
    /// Of the first line.
    let words: [String]
    /// By lowercased name.
    let headers: [String: String]
    /// Where the body begins.
    let end: Int

    /// None as long as the empty line isn't there.
    init?(_ bytes: [UInt8]) {
        guard let blank = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<blank.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        words = lines[0].split(separator: " ").map(String.init)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        self.headers = headers
        end = blank.upperBound
    }
}
