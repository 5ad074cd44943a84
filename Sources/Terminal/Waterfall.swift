package import Health

/// One probe, as `rangefinder probe` shows it.
package struct ProbeView: Hashable, Sendable {
    package var method: String
    package var url: String
    package var result: ProbeResult
    /// What the target is with this result; nil for a URL that a person typed.
    package var status: Status?

    package init(method: String, url: String, result: ProbeResult, status: Status? = nil) {
        self.method = method
        self.url = url
        self.result = result
        self.status = status
    }
}

/// The request and its verdict, the phases as bars one after the other, and what was learned.
package func waterfall(_ view: ProbeView, style: TerminalStyle) -> String {
    var lines = [heading(view, style)] + bars(view.result, style)
    let facts = factWords(view.result.facts)
    if !facts.isEmpty { lines.append("  " + fitted(facts, to: style.width - 2, isUnicode: style.isUnicode)) }
    lines += wrapped(view.result.sentence, to: style.width - 2).map { "  " + $0 }
    return lines.map { $0 + "\n" }.joined()
}

/// The URL gives way before the verdict does.
private func heading(_ view: ProbeView, _ style: TerminalStyle) -> String {
    let (verdict, colour) = verdict(view, style)
    let status = view.result.facts.httpStatus.map { "\($0)" } ?? ""
    let time = durationWords(view.result.duration, isUnicode: style.isUnicode)
    let right = [status, verdict, time].filter { !$0.isEmpty }
    let rightWidth = displayWidth(right.joined(separator: "  "))
    let left = fitted("\(view.method) \(view.url)", to: max(12, style.width - rightWidth - 2), isUnicode: style.isUnicode)
    let gap = String(repeating: " ", count: max(2, style.width - displayWidth(left) - rightWidth))
    let coloured = [status, style.coloured(verdict, colour), time].filter { !$0.isEmpty }.joined(separator: "  ")
    return style.coloured(left, .bold) + gap + coloured
}

private func verdict(_ view: ProbeView, _ style: TerminalStyle) -> (String, Colour?) {
    if let void = view.result.void { return ("void: \(void.rawValue)", .dim) }
    let seen: Status =
        switch view.result.outcome {
        case .good: .up
        case .poor: .degraded
        case .bad: .down
        }
    let shown = view.status ?? seen
    let word = (view.result.outcome.reason?.rawValue ?? view.result.outcome.cause?.rawValue).map { " \($0)" } ?? ""
    return (style.words(for: shown) + word, style.colour(of: shown))
}

private func bars(_ result: ProbeResult, _ style: TerminalStyle) -> [String] {
    let phases: [(String, Duration?)] = [
        ("resolve", result.phases.dns), ("connect", result.phases.connect), ("tls", result.phases.tls),
        ("processing", result.phases.processing), ("transfer", result.phases.transfer),
    ]
    let reached = phases.compactMap { name, time in time.map { (name, max(0, $0.wholeMicroseconds)) } }
    let total = max(1, reached.reduce(0) { $0 + $1.1 }, result.duration.wholeMicroseconds)
    // Two blanks, the name, two blanks, the time, one blank and the two ends of the bar come before the bar itself.
    let room = Int64(min(60, style.width - 27))
    var start: Int64 = 0
    return reached.map { name, time in
        let words = durationWords(.microseconds(time), isUnicode: style.isUnicode)
        let label = "  \(padded(name, to: 10))  \(padded(words, to: 10, alignment: .right))"
        defer { start += time }
        guard room >= 10 else { return label }
        let from = scaled(start, by: room, over: total)
        // What took any time at all leaves a mark, inside the frame.
        let first = min(from, room - 1)
        let last = max(first + (time > 0 ? 1 : 0), scaled(start + time, by: room, over: total))
        let bar = String(repeating: style.isUnicode ? "█" : "#", count: Int(last - first))
        let before = String(repeating: " ", count: Int(first))
        let after = String(repeating: " ", count: Int(room - last))
        let (opening, closing) = style.isUnicode ? ("▕", "▏") : ("|", "|")
        return "\(label) \(opening)\(before)\(style.coloured(bar, .cyan))\(after)\(closing)"
    }
}

private func scaled(_ value: Int64, by room: Int64, over total: Int64) -> Int64 {
    Int64((Double(value) / Double(total) * Double(room)).rounded())
}

private func factWords(_ facts: ResponseFacts) -> String {
    var parts: [String] = []
    if let address = facts.address { parts.append("to \(address)") }
    if let version = facts.httpVersion { parts.append(version >= 2 ? "HTTP/\(Int(version))" : "HTTP/\(version)") }
    if let version = facts.tlsVersion { parts.append(version) }
    if let expiry = facts.certificateExpiry { parts.append("certificate until \(String(expiry.description.prefix(10)))") }
    if facts.redirects > 0 { parts.append("\(facts.redirects) redirect\(facts.redirects == 1 ? "" : "s")") }
    if let length = facts.uncompressedBodyLength { parts.append("\(length) bytes") }
    return parts.joined(separator: ", ")
}
