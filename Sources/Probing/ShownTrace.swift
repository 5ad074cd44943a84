package import Curl
package import Health
import Synchronization

/// What goes over the wire in one request, as a person may see it: without the policy's secrets, and without what headers keep secret.
package final class ShownTrace: Sendable {
    private static let bodyShown = 1024
    /// Of a body in chunks, whose sizes stand between its bytes.
    private static let bodyKept = 16 << 10

    private struct State {
        /// The head that is being received. libcurl tells it line by line, and a field may go on in the next line.
        var head: [UInt8] = []
        /// The beginning of the body. The server says into which pieces it is cut, and a secret may lie across two.
        var body: [UInt8] = []
        var bodyBytes = 0
        var isCoded = false
        var isChunked = false
        /// Of this request and its answers: what stands there may be said again in the body.
        var heads: [UInt8] = []
    }

    private let reading: EvidenceReading
    private let state = Mutex(State())

    package init(_ policy: ProbePolicy, _ request: TransferRequest) {
        let cookies = request.headers.filter { $0.name.lowercased() == "cookie" }.flatMap { header in
            header.value.split(separator: ";").compactMap { $0.split(separator: "=", maxSplits: 1).last.map(String.init) }
        }
        reading = EvidenceReading(policy, urls: [request.url], cookies: cookies)
    }

    /// Lines, each with a mark as curl has it: `>` sent, `<` received, `*` said by libcurl.
    package func lines(_ what: TransferRequest.Traced, _ bytes: [UInt8]) -> [String] {
        switch what {
        case .receivedHead:
            let isWhole = bytes.allSatisfy { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
            state.withLock { state in
                state.head += bytes
                state.heads += bytes
                let line = String(decoding: bytes, as: UTF8.self).lowercased()
                if line.hasPrefix("content-encoding:") { state.isCoded = true }
                if line.hasPrefix("transfer-encoding:"), line.contains("chunked") { state.isChunked = true }
            }
            return isWhole ? head() : []
        case .receivedBody:
            state.withLock { state in
                state.body += bytes.prefix(max(0, Self.bodyKept - state.body.count))
                state.bodyBytes += bytes.count
            }
            return []
        // A connection may end in the middle of a head.
        case .sentHead:
            state.withLock { $0.heads += bytes }
            return head() + marked(">", requestLineWithoutSecrets(reading.headers(bytes)))
        case .sentBody: return ["> (\(counted(bytes.count, "byte")) of the body)"]
        case .note: return head() + marked("*", note(bytes))
        }
    }

    /// What is shown once the request has ended.
    package func rest() -> [String] {
        let ended = state.withLock(\.self)
        let (whole, isCoded) = (ended.isChunked ? withoutChunkSizes(ended.body) : ended.body, ended.isCoded)
        let count = ended.isChunked && ended.bodyBytes <= Self.bodyKept ? whole.count : ended.bodyBytes
        guard count > 0 else { return head() }
        let body = Array(reading.redaction(besides: ended.heads).cleaned(whole).prefix(Self.bodyShown))
        let text = String(decoding: body, as: UTF8.self)
        // Of a body in a coding libcurl tells the bytes that came.
        guard !body.contains(0), !text.dropLast().contains("\u{FFFD}") else {
            let hint = isCoded ? "; with -H 'Accept-Encoding: identity' a server sends them as they are" : ""
            return head() + ["< (\(counted(count, "byte")) that are no text\(hint))"]
        }
        return head() + marked("<", text) + (count > body.count ? ["< (\(counted(count, "byte")) in all)"] : [])
    }

    /// RFC 9112 section 7.1. Trailers are left out.
    private func withoutChunkSizes(_ bytes: [UInt8]) -> [UInt8] {
        var (body, rest): ([UInt8], ArraySlice<UInt8>) = ([], bytes[...])
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let digits = rest[..<end].prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "\r") }
            guard let size = Int(String(decoding: digits, as: UTF8.self).filter { $0 != " " }, radix: 16), size > 0 else { break }
            rest = rest[rest.index(after: end)...]
            body += rest.prefix(size)
            // The line break behind the chunk.
            rest = rest.dropFirst(size).drop { $0 == UInt8(ascii: "\r") }.dropFirst()
        }
        return body
    }

    /// A value that is too short to be looked for everywhere is hidden where it is known to stand.
    private func requestLineWithoutSecrets(_ head: String) -> String {
        let line = head.prefix { !$0.isNewline }
        let words = line.split(separator: " ", omittingEmptySubsequences: false).map { urlWithoutSecrets(String($0)) }
        return words.joined(separator: " ") + head[line.endIndex...]
    }

    private func head() -> [String] {
        let head = state.withLock { state in
            defer { state.head = [] }
            return state.head
        }
        return head.isEmpty ? [] : marked("<", reading.headers(head))
    }

    /// libcurl repeats header fields in its own words, each version in others: nothing stands behind the name of a secret one.
    private func note(_ bytes: [UInt8]) -> String {
        let text = String(decoding: reading.redaction.cleaned(bytes), as: UTF8.self)
        let words = text.split { !$0.isLetter && !$0.isNumber && $0 != "-" && $0 != "_" }
        guard let secret = words.first(where: { EvidenceReading.isSecret(String($0)) || $0.lowercased() == "cookie" }) else {
            return text
        }
        return text[..<secret.endIndex] + " …"
    }

    private func marked(_ mark: String, _ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).map { "\(mark) \(displayText(String($0), limit: 1024))" }
    }
}
