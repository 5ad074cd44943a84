import Health

/// How many of a set of durations were at most so long, for each of a fixed row of bounds.
struct Histogram: Hashable, Sendable {
    /// Upper bounds in seconds, ascending.
    let bounds: [Double]
    /// One more than the bounds: the last counts what is longer than all of them.
    private(set) var counts: [UInt64]
    /// In seconds.
    private(set) var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    /// The bound that so many of the durations kept; nil when there are none, or it is longer than all bounds.
    ///
    /// - Parameter share: 0.99 for the 99th percentile.
    func bound(of share: Double) -> Duration? {
        let all = counts.reduce(0, +)
        guard all > 0 else { return nil }
        var seen: UInt64 = 0
        for (bound, count) in zip(bounds, counts) {
            seen += count
            if Double(seen) >= share * Double(all) { return .seconds(bound) }
        }
        return nil
    }

    mutating func observe(_ duration: Duration) {
        let seconds = duration.inSeconds
        counts[bounds.firstIndex { seconds <= $0 } ?? bounds.count] += 1
        sum += seconds
    }

    /// 1 ms to 60 s: from a target next door to the longest timeout that makes sense.
    static let probeLatency = Histogram(
        bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60])
    /// 0.1 ms to 10 s; `taint_after` is 1 s by default.
    static let probeLateness = Histogram(
        bounds: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10])
    /// 0.1 ms, which is a few turns of a thread that has little to do, to 1 s.
    static let probeSelfDelay = Histogram(
        bounds: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1])
    /// 1 ms to 10 s; a commit is due every half second.
    static let commit = Histogram(bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])
}

extension PageWriter {
    mutating func write(_ name: String, _ histogram: Histogram) {
        var total: UInt64 = 0
        for (index, count) in histogram.counts.enumerated() {
            total += count
            // OpenMetrics wants `1.0`, and the older format takes it: the label must not depend on the format.
            let bound = index < histogram.bounds.count ? "\(histogram.bounds[index])" : "+Inf"
            write(sample: name + "_bucket", labels: [("le", bound)], Double(total))
        }
        write(sample: name + "_sum", histogram.sum)
        write(sample: name + "_count", Double(total))
    }
}
