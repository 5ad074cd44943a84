import Health

/// The request and its verdict, the phases as bars one after the other, what was learned, and the sentence that explains the verdict.
package func waterfall(_ view: ProbeView, style: TerminalStyle) -> String {
    var lines = [heading(view, style)] + bars(view.result, style)
    let facts = factWords(view.result.facts)
    if !facts.isEmpty { lines += broken(facts, to: style.width - 2, style).map { "  " + $0 } }
    lines += redirectLines(view.hops, style) + certificateLines(view, style)
    lines += broken(view.result.sentence, to: style.width - 2, style).map { "  " + $0 }
    return lines.map { $0 + "\n" }.joined()
}

/// The URL gives way before the verdict does.
private func heading(_ view: ProbeView, _ style: TerminalStyle) -> String {
    let (verdict, colour) = verdict(view, style)
    let status = view.result.facts.httpStatus.map { "\($0)" } ?? ""
    let time = durationWords(view.result.duration, isUnicode: style.isUnicode)
    let right = [status, verdict, time].filter { !$0.isEmpty }
    let rightWidth = displayWidth(right.joined(separator: "  "))
    let request = "\(view.method) \(view.url)"
    let room = max(12, style.width - rightWidth - 2)
    let left = style.isCut ? fitted(request, to: room, isUnicode: style.isUnicode) : displayText(request, limit: .max)
    let gap = String(repeating: " ", count: max(2, style.width - displayWidth(left) - rightWidth))
    let coloured = [status, style.coloured(verdict, colour), time].filter { !$0.isEmpty }.joined(separator: "  ")
    return style.coloured(left, .bold) + gap + coloured
}

/// The result's word: what a target is called is the judge's to say, and one probe makes no status.
private func verdict(_ view: ProbeView, _ style: TerminalStyle) -> (String, Colour?) {
    if let void = view.result.void { return ("void \(void.rawValue)", .dim) }
    let (symbol, word, colour): (String, String, Colour) =
        switch view.result.outcome {
        case .good: (style.isUnicode ? "●" : "+", "good", .green)
        case .poor(let cause): (style.isUnicode ? "▲" : "!", "poor \(cause.rawValue)", .yellow)
        case .bad(let reason): (style.isUnicode ? "✗" : "x", "bad \(reason.rawValue)", .red)
        }
    return ("\(symbol) \(word)", colour)
}

private func bars(_ result: ProbeResult, _ style: TerminalStyle) -> [String] {
    let reached = Phase.allCases.compactMap { phase in
        result.phases[phase].map { (name: phase.shownName, time: max(0, $0.wholeMicroseconds)) }
    }
    let total = max(1, reached.reduce(0) { $0 + $1.time }, result.duration.wholeMicroseconds)
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

/// Lines that fit a terminal. Off a terminal all is one line, so that no word is in two.
private func broken(_ text: String, to width: Int, _ style: TerminalStyle) -> [String] {
    style.isCut ? wrapped(text, to: width) : [displayText(text, limit: .max)]
}

private func scaled(_ value: Int64, by room: Int64, over total: Int64) -> Int64 {
    Int64((Double(value) / Double(total) * Double(room)).rounded())
}

private func factWords(_ facts: ResponseFacts) -> String {
    var parts: [String] = []
    if let address = facts.address { parts.append("to \(address)") }
    if let version = facts.httpVersion { parts.append(version >= 2 ? "HTTP/\(Int(version))" : "HTTP/\(version)") }
    if let version = facts.tlsVersion { parts.append(version.rawValue) }
    if let length = facts.uncompressedBodyLength { parts.append(counted(Int(length), "byte")) }
    return parts.joined(separator: ", ")
}

/// Each request of a probe that was redirected.
private func redirectLines(_ hops: [ProbeView.Hop], _ style: TerminalStyle) -> [String] {
    guard hops.count > 1 else { return [] }
    return hops.enumerated().flatMap { index, hop in
        labelled(
            index == 0 ? "redirects" : "", "\(hop.status.map { "\($0)" } ?? "no answer") \(displayText(hop.url, limit: .max))",
            style)
    }
}

private func certificateLines(_ view: ProbeView, _ style: TerminalStyle) -> [String] {
    guard let leaf = view.certificates.first else { return [] }
    var lines = labelled("certificate", leaf.subject.isEmpty ? "without a subject" : displayText(leaf.subject), style)
    if !leaf.names.isEmpty {
        let names = leaf.names.prefix(8).map { displayText($0) }.joined(separator: ", ")
        lines += labelled("names", leaf.names.count > 8 ? names + " and others" : names, style)
    }
    lines += labelled("issuer", displayText(leaf.issuer), style)
    let (words, colour) = validity(leaf, view.result)
    lines += labelled("valid", words, style, colour)
    for (index, certificate) in view.certificates.dropFirst().enumerated() {
        let (words, _) = validity(certificate, view.result)
        lines += labelled(index == 0 ? "chain" : "", "\(displayText(certificate.subject)), \(words)", style)
    }
    return lines
}

/// From when until when, and how far that is from now; in colour when it is what is wrong.
private func validity(_ certificate: ProbeView.Certificate, _ result: ProbeResult) -> (String, Colour?) {
    guard let expiry = certificate.expiry else { return ("until a time that can't be read", .red) }
    let now = result.startedAt
    let day = { (moment: Timestamp) in String(moment.description.prefix(10)) }
    let span = (certificate.beginning.map { "\(day($0)) to " } ?? "until ") + day(expiry)
    if let beginning = certificate.beginning, beginning > now { return ("\(span), not yet: \(ago(beginning, now: now))", .red) }
    guard expiry > now else { return ("\(span), expired \(ago(expiry, now: now))", .red) }
    let days = (expiry - now).wholeMilliseconds / 86_400_000
    let minutes = (expiry - now).wholeMilliseconds / 60_000
    let left = days >= 2 ? "\(days) days left" : minutes >= 120 ? "\(minutes / 60) h left" : "less than \(minutes + 1) min left"
    return ("\(span), \(left)", result.outcome == .poor(.certificateExpiring) ? .yellow : nil)
}

/// A label and a value that must be safe already, which goes on below itself where it is long.
private func labelled(_ label: String, _ value: String, _ style: TerminalStyle, _ colour: Colour? = nil) -> [String] {
    let labelWidth = 11
    return broken(value, to: max(12, style.width - labelWidth - 4), style).enumerated().map { index, line in
        "  \(padded(index == 0 ? label : "", to: labelWidth))  \(style.coloured(line, colour))"
    }
}
