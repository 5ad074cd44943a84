package import Health

/// One step of time in a plot of latency; all of its times are nil where no probe succeeded.
package struct LatencyStep: Hashable, Sendable {
    package var start: Timestamp
    package var p50: Duration?
    package var p95: Duration?
    package var p99: Duration?
    /// Probes that counted, and how many of them failed. Nobody looked where there is none.
    package var probes: Int
    package var failures: Int

    package init(start: Timestamp, p50: Duration?, p95: Duration?, p99: Duration?, probes: Int, failures: Int) {
        (self.start, self.p50, self.p95, self.p99) = (start, p50, p95, p99)
        (self.probes, self.failures) = (probes, failures)
    }
}

/// The latency of a target over time as SVG: the median as a line, bands up to the 95th and the 99th percentile, failures marked below, and hatched
/// where nobody looked.
struct LatencyBand {
    private static let (plotTop, plotHeight, height) = (10.0, 160.0, 212)
    private static let failuresTop = 172

    private let steps: [LatencyStep]
    private let top: Duration
    private let lines: [Duration]

    /// - Parameter steps: one for each step of the window in the order of time, also where nothing is known.
    init(_ steps: [LatencyStep]) {
        self.steps = steps
        let most = steps.compactMap { $0.p99 ?? $0.p95 ?? $0.p50 }.max() ?? .milliseconds(100)
        lines = Self.gridLines(most)
        top = max(lines.last ?? most, most * 21 / 20)
    }

    /// Three or four round numbers from zero on.
    static func gridLines(_ most: Duration) -> [Duration] {
        let microseconds = max(1, most.wholeMicroseconds)
        var unit: Int64 = 1
        while unit * 10 <= microseconds { unit *= 10 }
        let step = [1, 2, 5, 10].map { $0 * unit }.first { microseconds / $0 < 4 } ?? unit
        return (0...microseconds / step).map { .microseconds($0 * step) }
    }

    /// - Parameters:
    ///   - label: what the plot comes to, for whoever doesn't see it; escaped.
    ///   - ticks: times below the plot: where in it, from 0 to 1, and what is written there.
    func svg(label: String, ticks: [(place: Double, text: String)]) -> String {
        let spans = knownSpans
        let grid = lines.map { "<line x1=\"0\" x2=\"100%\" y1=\"\(y($0))\" y2=\"\(y($0))\"/>" }.joined()
        let labels = lines.dropFirst().map { "<text x=\"2\" y=\"\(y($0) - 4)\">\(ShownNumber.axis($0))</text>" }.joined()
        let marks = ticks.enumerated().map { index, tick in
            let anchor = index == 0 ? "" : index == ticks.count - 1 ? " text-anchor=\"end\"" : " text-anchor=\"middle\""
            return "<text x=\"\(percent(tick.place))\" y=\"208\"\(anchor)>\(tick.text)</text>"
        }
        return "<svg class=\"plot\" height=\"\(Self.height)\" role=\"img\" aria-label=\"\(label)\">"
            + "<pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
            + "<path class=\"hatch\" d=\"M0 0v6\"/></pattern>\(grid)"
            + "<svg y=\"10\" height=\"160\" viewBox=\"0 0 1000 100\" preserveAspectRatio=\"none\">"
            + "<path class=\"p99\" d=\"\(band(spans, \.p95, \.p99))\"/><path class=\"p95\" d=\"\(band(spans, \.p50, \.p95))\"/>"
            + "<path class=\"p50\" d=\"\(line(spans))\"/></svg>\(gaps)\(failures)\(labels)\(marks.joined())</svg>"
    }

    /// Runs of steps whose percentiles are known.
    private var knownSpans: [Range<Int>] { runs { steps[$0].p50 != nil } }

    private func runs(_ isIn: (Int) -> Bool) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for index in steps.indices where isIn(index) {
            if runs.last?.upperBound == index {
                runs[runs.count - 1] = runs[runs.count - 1].lowerBound..<index + 1
            } else {
                runs.append(index..<index + 1)
            }
        }
        return runs
    }

    // A step is drawn as wide as it is: a single one between two gaps is seen, too.
    private func x(_ index: Int) -> Int { steps.isEmpty ? 0 : (1000 * index) / steps.count }

    private func inner(_ value: Duration?) -> String {
        guard let value, top > .zero else { return "100" }
        return fixed(100 - value / top * 100, digits: 1)
    }

    private func y(_ value: Duration) -> Int {
        top > .zero ? Int((Self.plotTop + Self.plotHeight * (1 - value / top)).rounded()) : Int(Self.plotTop + Self.plotHeight)
    }

    private func band(_ spans: [Range<Int>], _ low: KeyPath<LatencyStep, Duration?>, _ high: KeyPath<LatencyStep, Duration?>)
        -> String
    {
        spans.map { span in
            let up = span.map { "\(x($0)) \(inner(steps[$0][keyPath: high]))H\(x($0 + 1))" }
            let back = span.reversed().map { "\(x($0 + 1)) \(inner(steps[$0][keyPath: low]))H\(x($0))" }
            return "M" + (up + back).joined(separator: "L") + "z"
        }.joined()
    }

    private func line(_ spans: [Range<Int>]) -> String {
        spans.map { span in "M" + span.map { "\(x($0)) \(inner(steps[$0].p50))H\(x($0 + 1))" }.joined(separator: "L") }.joined()
    }

    private func percent(_ place: Double) -> String { fixed(place * 100, digits: 1) + "%" }

    private func place(_ index: Int) -> Double { steps.isEmpty ? 0 : Double(index) / Double(steps.count) }

    private var gaps: String {
        runs { steps[$0].probes == 0 }.map { gap in
            "<rect fill=\"url(#hatch)\" x=\"\(percent(place(gap.lowerBound)))\" y=\"10\" "
                + "width=\"\(percent(place(gap.upperBound) - place(gap.lowerBound)))\" height=\"160\"/>"
        }.joined()
    }

    private var failures: String {
        steps.indices.filter { steps[$0].failures > 0 }.map { index in
            let share = Double(steps[index].failures) / Double(max(1, steps[index].probes))
            return "<rect class=\"fail\" x=\"\(percent(place(index)))\" y=\"\(Self.failuresTop)\" "
                + "width=\"\(percent(max(0.003, place(index + 1) - place(index) - 0.0005)))\" height=\"\(6 + Int(share * 12))\"/>"
        }.joined()
    }
}

/// With so many digits behind the point, and no more of them than it needs.
func fixed(_ value: Double, digits: Int) -> String {
    let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
    let rounded = Int((value * scale).rounded())
    let (whole, rest) = (abs(rounded) / Int(scale), abs(rounded) % Int(scale))
    let sign = rounded < 0 ? "-" : ""
    guard rest > 0 else { return "\(sign)\(whole)" }
    var tail = String(rest)
    tail = String(repeating: "0", count: digits - tail.count) + tail
    while tail.last == "0" { tail.removeLast() }
    return "\(sign)\(whole).\(tail)"
}
