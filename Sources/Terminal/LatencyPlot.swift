package import Health

/// One step of time in a plot.
package struct PlotStep: Hashable, Sendable {
    /// Of the probes that succeeded; nil when none did.
    package var p50: Duration?
    package var p95: Duration?
    package var p99: Duration?
    /// The worst that was seen in it; nil when nobody looked.
    package var status: Status?

    package init(p50: Duration? = nil, p95: Duration? = nil, p99: Duration? = nil, status: Status? = nil) {
        (self.p50, self.p95, self.p99, self.status) = (p50, p95, p99, status)
    }
}

/// Latency over time in three bands, a column a step: up to the median, from there to the 95th percentile, and on to the 99th. Under it a
/// line of what the target was, and the times of both ends. No line is wider than the style.
package func latencyPlot(
    _ steps: [PlotStep], from start: Timestamp, to end: Timestamp, style: TerminalStyle, height: Int = 10
) -> String {
    let all = steps.count
    let steps = steps.suffix(plotWidth(style))
    // Where there isn't room for all, the latest are shown, and the time is that of the first of them.
    let start = all > steps.count ? start + (end - start) * (all - steps.count) / all : start
    let top = steps.compactMap { [$0.p50, $0.p95, $0.p99].compactMap(\.self).max() }.max() ?? .zero
    guard !steps.isEmpty, top > .zero else { return statusLine(steps, style) + timeLine(steps.count, start, end, style) }
    let plot = (1...max(2, height)).reversed().map { row in
        let isLabelled = row == height || row == (height + 1) / 2 || row == 1
        let label = isLabelled ? durationWords(top * row / height, isUnicode: style.isUnicode) : ""
        let cells = steps.map { cell($0, row: row, of: height, top: top, style) }.joined()
        return padded(label, to: labelWidth - 2, alignment: .right) + (style.isUnicode ? " ┤" : " |") + cells
    }
    return plot.map(withoutTrailingBlanks).joined() + statusLine(steps, style) + timeLine(steps.count, start, end, style)
        + legend(style)
}

/// How many steps a plot has room for.
package func plotWidth(_ style: TerminalStyle) -> Int { max(1, style.width - labelWidth) }

private let labelWidth = 11

/// A cell is drawn when its lower half is reached, so that the highest step shows in the highest row.
private func cell(_ step: PlotStep, row: Int, of height: Int, top: Duration, _ style: TerminalStyle) -> String {
    let floor = top * (2 * row - 2) / (2 * height)
    func reaches(_ value: Duration?) -> Bool { value.map { $0 > floor } ?? false }
    if reaches(step.p50) { return style.coloured(style.isUnicode ? "█" : "#", .blue) }
    if reaches(step.p95) { return style.coloured(style.isUnicode ? "▓" : "+", .cyan) }
    if reaches(step.p99) { return style.coloured(style.isUnicode ? "░" : ".", .dim) }
    return " "
}

private func statusLine(_ steps: some Collection<PlotStep>, _ style: TerminalStyle) -> String {
    let cells = steps.map { step -> String in
        guard let status = step.status else { return " " }
        let symbol =
            switch status {
            case .up: style.isUnicode ? "▀" : "-"
            case .degraded: style.isUnicode ? "▲" : "!"
            case .down: style.isUnicode ? "✗" : "x"
            case .unknown: style.isUnicode ? "·" : "?"
            }
        return style.coloured(symbol, style.colour(of: status))
    }
    return withoutTrailingBlanks(padded("status", to: labelWidth - 2, alignment: .right) + "  " + cells.joined())
}

private func timeLine(_ width: Int, _ start: Timestamp, _ end: Timestamp, _ style: TerminalStyle) -> String {
    let (first, last) = (momentWords(start, upTo: .minute), momentWords(end, upTo: .minute))
    let room = max(width, 0) - first.count - last.count
    let text = room > 0 ? first + String(repeating: " ", count: room) + last : first
    return fitted(String(repeating: " ", count: labelWidth) + text, to: style.width, isUnicode: style.isUnicode) + "\n"
}

private func legend(_ style: TerminalStyle) -> String {
    let bands = style.isUnicode ? ("█", "▓", "░") : ("#", "+", ".")
    let words = "\(bands.0) to p50  \(bands.1) to p95  \(bands.2) to p99"
    return fitted(String(repeating: " ", count: labelWidth) + words, to: style.width, isUnicode: style.isUnicode) + "\n"
}

private func withoutTrailingBlanks(_ line: String) -> String {
    var line = line
    while line.last == " " { line.removeLast() }
    return line + "\n"
}
