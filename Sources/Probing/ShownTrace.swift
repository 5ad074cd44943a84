package import Curl
package import Health
import Synchronization

/// What goes over the wire in one request, as a person may see it: without the policy's secrets, and without what headers keep secret.
package final class ShownTrace: Sendable {
    private static let bodyShown = 1024

    private struct State {
        /// The head that is being received. libcurl tells it line by line, and a field may go on in the next line.
        var head: [UInt8] = []
        /// The beginning of the body. The server says into which pieces it is cut, and a secret may lie across two.
        var body: [UInt8] = []
        var bodyBytes = 0
        var isCoded = false
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
                if String(decoding: bytes, as: UTF8.self).lowercased().hasPrefix("content-encoding:") { state.isCoded = true }
            }
            return isWhole ? head() : []
        case .receivedBody:
            state.withLock { state in
                state.body += bytes.prefix(max(0, Self.bodyShown - state.body.count))
                state.bodyBytes += bytes.count
            }
            return []
        // A connection may end in the middle of a head.
        case .sentHead: return head() + marked(">", reading.headers(bytes))
        case .sentBody: return ["> (\(counted(bytes.count, "byte")) of the body)"]
        case .note: return head() + marked("*", note(bytes))
        }
    }

    /// What is shown once the request has ended.
    package func rest() -> [String] {
        let (body, count, isCoded) = state.withLock { ($0.body, $0.bodyBytes, $0.isCoded) }
        guard count > 0 else { return head() }
        let text = String(decoding: reading.redaction.cleaned(body), as: UTF8.self)
        // Of a body in a coding libcurl tells the bytes that came.
        guard !body.contains(0), !text.dropLast().contains("\u{FFFD}") else {
            let hint = isCoded ? "; with -H 'Accept-Encoding: identity' a server sends them as they are" : ""
            return head() + ["< (\(counted(count, "byte")) that are no text\(hint))"]
        }
        return head() + marked("<", text) + (count > body.count ? ["< (\(counted(count, "byte")) in all)"] : [])
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
