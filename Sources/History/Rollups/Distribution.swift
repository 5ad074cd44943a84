/// How often a latency was how long: counts by buckets that grow with the latency. Two distributions add up. A percentile of their sum is
/// the percentile of all values, within 0.8 %.
///
/// The buckets are HdrHistogram's with 64 to each doubling: bucket b below 128 holds the value b, in microseconds; one above holds the
/// values whose leading seven bits are the same. As bytes: for each bucket that isn't empty, in order, LEB128 of
/// 2 × (buckets skipped since the last) + (1 when more than one value is in it), and then, in that case, LEB128 of their number.
struct Distribution: Hashable, Sendable {
    /// A bucket that isn't empty.
    private struct Entry: Hashable {
        var bucket: Int32
        var count: Int
    }

    private static let exactBuckets: Int64 = 128
    private static let bucketsADoubling: Int64 = 64

    private var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.reduce(0) { $0 + $1.count } }

    static func bucket(of value: Int64) -> Int32 {
        guard value >= exactBuckets else { return Int32(max(0, value)) }
        let shift = Int64(63 - value.leadingZeroBitCount - 6)
        return Int32(bucketsADoubling * shift + value >> shift)
    }

    /// The middle of a bucket.
    static func value(of bucket: Int32) -> Int64 {
        let bucket = Int64(bucket)
        guard bucket >= exactBuckets else { return bucket }
        let shift = bucket / bucketsADoubling - 1
        return (bucket - bucketsADoubling * shift) << shift + (1 << shift - 1) / 2
    }

    /// - Parameter value: in microseconds.
    mutating func add(_ value: Int64) {
        let bucket = Self.bucket(of: value)
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].bucket < bucket { low = middle + 1 } else { high = middle }
        }
        if low < entries.count, entries[low].bucket == bucket {
            entries[low].count += 1
        } else {
            entries.insert(Entry(bucket: bucket, count: 1), at: low)
        }
    }

    mutating func merge(_ other: Distribution) {
        if entries.isEmpty { return entries = other.entries }
        guard !other.entries.isEmpty else { return }
        var merged: [Entry] = []
        merged.reserveCapacity(entries.count + other.entries.count)
        var (mine, theirs) = (entries[...], other.entries[...])
        while let a = mine.first, let b = theirs.first {
            merged.append(a.bucket <= b.bucket ? a : b)
            if a.bucket <= b.bucket { mine.removeFirst() }
            if b.bucket <= a.bucket { theirs.removeFirst() }
            if a.bucket == b.bucket { merged[merged.count - 1].count += b.count }
        }
        entries = merged + mine + theirs
    }

    /// The smallest value for which at least this share of all values are no greater, within 0.8 %; nil without values.
    func percentile(_ share: Double) -> Int64? {
        let total = count
        guard total > 0 else { return nil }
        var left = max(1, Int((share * Double(total)).rounded(.up)))
        for entry in entries {
            left -= entry.count
            if left <= 0 { return Self.value(of: entry.bucket) }
        }
        return nil
    }
}

/// Adds up many distributions as bytes: a count for each bucket, used again for the next sum.
struct DistributionSum {
    /// For latencies up to 2^34 microseconds, which is five hours. Longer latencies count as five hours.
    private var counts = [Int](repeating: 0, count: Int(Distribution.bucket(of: 1 << 34)) + 1)
    private var used: Range<Int> = 0..<0

    var isEmpty: Bool { used.isEmpty }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var (low, high) = ends
        Distribution.read(bytes) { bucket, count in add(bucket, count, &low, &high) }
        if low < high { used = low..<high }
    }

    mutating func add(_ other: Distribution) {
        var (low, high) = ends
        other.each { bucket, count in add(bucket, count, &low, &high) }
        if low < high { used = low..<high }
    }

    private var ends: (Int, Int) { used.isEmpty ? (counts.count, 0) : (used.lowerBound, used.upperBound) }

    private mutating func add(_ bucket: Int32, _ count: Int, _ low: inout Int, _ high: inout Int) {
        let index = min(Int(bucket), counts.count - 1)
        counts[index] += count
        (low, high) = (min(low, index), max(high, index + 1))
    }

    /// Begins the next sum. Returns what has been added up.
    mutating func reset() -> Distribution {
        var sum = Distribution()
        for index in used where counts[index] > 0 {
            sum.append(bucket: Int32(index), count: counts[index])
            counts[index] = 0
        }
        used = 0..<0
        return sum
    }
}

/// As bytes.
extension Distribution {
    func write(to bytes: inout [UInt8]) {
        var next: Int32 = 0
        for entry in entries {
            Self.write(bucket: entry.bucket, count: entry.count, after: next, to: &bytes)
            next = entry.bucket + 1
        }
    }

    /// - Parameter next: the bucket after the last one that was written.
    static func write(bucket: Int32, count: Int, after next: Int32, to bytes: inout [UInt8]) {
        bytes.appendLEB128(UInt64(bucket - next) << 1 | (count > 1 ? 1 : 0))
        if count > 1 { bytes.appendLEB128(UInt64(count)) }
    }

    /// Bytes that aren't in the form above end the reading: a damaged row must not end the daemon.
    init<Bytes: RandomAccessCollection<UInt8>>(_ bytes: Bytes) where Bytes.Index == Int {
        Self.read(bytes) { append(bucket: $0, count: $1) }
    }

    fileprivate func each(_ body: (_ bucket: Int32, _ count: Int) -> Void) {
        for entry in entries { body(entry.bucket, entry.count) }
    }

    /// After all buckets that are there.
    fileprivate mutating func append(bucket: Int32, count: Int) { entries.append(Entry(bucket: bucket, count: count)) }

    fileprivate static func read<Bytes: RandomAccessCollection<UInt8>>(
        _ bytes: Bytes, _ body: (_ bucket: Int32, _ count: Int) -> Void
    ) where Bytes.Index == Int {
        var rest = LEB128Reader(bytes)
        var next: UInt64 = 0
        while let word = rest.next() {
            guard let count = word & 1 == 1 ? rest.next() : 1 else { return }
            let (bucket, overflow) = next.addingReportingOverflow(word >> 1)
            guard !overflow, bucket < UInt64(Int32.max), count > 0, count < UInt64(UInt32.max) else { return }
            body(Int32(bucket), Int(count))
            next = bucket + 1
        }
    }
}
