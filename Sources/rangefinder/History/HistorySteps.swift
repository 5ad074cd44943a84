import Health
import History

/// One target's results in steps of time.
struct HistorySteps {
    let target: Target
    let span: Range<Timestamp>
    let resolution: Duration
    /// Only steps that have anything.
    let items: [RollupItem]

    init(
        of target: Target, in span: Range<Timestamp>, resolution: Duration, from reader: HistoryReader
    ) throws(HistoryError) {
        (self.target, self.span, self.resolution) = (target, span, resolution)
        items = try reader.series(of: target.identity, in: span, resolution: resolution)
    }

    /// The same results from the first of them on, in steps as short as `columns` of them allow: a daemon of five minutes fills the plot of
    /// a day, too.
    func fromTheirBegin(columns: Int, from reader: HistoryReader) throws(HistoryError) -> HistorySteps {
        guard let first = items.first, first.start > span.lowerBound else { return self }
        let shorter = first.start..<span.upperBound
        let steps = try HistorySteps(
            of: target, in: shorter, resolution: Self.resolution(of: shorter.upperBound - shorter.lowerBound, columns: columns),
            from: reader)
        // Single results may be kept for less time than their minutes: shorter steps that lose any are not taken.
        guard steps.probes >= probes else { return self }
        return steps.resolution < resolution ? try steps.fromTheirBegin(columns: columns, from: reader) : steps
    }

    /// Void ones included.
    private var probes: Int { items.reduce(0) { $0 + $1.probes + $1.voids } }

    /// The shortest step that fits.
    static func resolution(of span: Duration, columns: Int) -> Duration {
        let seconds: [Int64] = [10, 30, 60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 86_400, 7 * 86_400, 30 * 86_400]
        return .seconds(seconds.first { .seconds($0) * columns >= span } ?? 365 * 86_400)
    }
}
