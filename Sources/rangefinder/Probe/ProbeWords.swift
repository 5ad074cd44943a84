import ArgumentParser
import Health
import Settings

/// What a person types of a probe, as curl takes it.
enum ProbeWords {
    /// With a scheme: https, and http on this machine.
    static func url(_ text: String) -> String {
        let host = text.prefix { !"/?#".contains($0) }
        // In a query there may be another URL.
        if host.last == ":", text.dropFirst(host.count).hasPrefix("//") { return text }
        let name = host.hasPrefix("[") ? String(host.drop { $0 == "[" }.prefix { $0 != "]" }) : String(host.prefix { $0 != ":" })
        return (isLoopback(host: name) ? "http://" : "https://") + text
    }

    /// As in `200` or `200-299,401`.
    static func statuses(_ text: String) throws -> [ClosedRange<Int>] {
        let ranges = text.split(separator: ",", omittingEmptySubsequences: false).map { parseStatuses(String($0)) }
        guard !ranges.contains(nil) else {
            throw ValidationError(
                "--expect-status wants statuses such as 200 or 200-299,401, not '\(displayText(text, limit: 40))'.")
        }
        return ranges.compactMap(\.self)
    }

    /// As in `Accept: text/html`.
    static func header(_ text: String) throws -> ProbePolicy.Header {
        guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else {
            // What was typed may be a token.
            throw ValidationError("-H wants a header such as 'Accept: text/html': a name, a colon and a value.")
        }
        let name = String(text[..<colon])
        let value = String(text[text.index(after: colon)...].drop { $0 == " " })
        if let problem = headerNameProblem(name) {
            throw ValidationError("The header '\(displayText(name, limit: 40))' \(problem).")
        }
        guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw ValidationError("The header '\(displayText(name, limit: 40))' holds a character that no header may hold.")
        }
        // Of most headers nobody can tell here whether it lets somebody in.
        let isHarmless = harmless.contains(name.lowercased())
        return ProbePolicy.Header(name: name, value: isHarmless ? .plain(value) : .secret(Secret(value)))
    }

    private static let harmless: Set = [
        "accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "connection", "content-encoding",
        "content-language", "content-type", "host", "if-match", "if-modified-since", "if-none-match", "if-range",
        "if-unmodified-since", "origin", "pragma", "range", "user-agent",
    ]

    static func method(_ text: String) throws -> String {
        let method = text.uppercased()
        if let problem = methodProblem(method) { throw ValidationError("-X '\(displayText(text, limit: 40))' \(problem).") }
        return method
    }

    /// As it is, or what a file has: `@FILE`, and `@-` for standard input.
    static func body(_ text: String) throws -> String {
        guard text.hasPrefix("@") else { return text }
        let path = String(text.dropFirst())
        do {
            let bytes = try path == "-" ? standardInput() : Rangefinder.surroundings.readFile(path, bodyMax)
            guard let read = String(validating: bytes, as: UTF8.self) else {
                throw Failure(.usage, "\(displayText(path)) is no UTF-8 text, and a body of other bytes can't be sent")
            }
            return read
        } catch let problem as FileProblem { throw Failure(.usage, "\(displayText(path)) can't be read: \(problem.sentence)") }
    }

    private static let bodyMax = 1 << 20
}
