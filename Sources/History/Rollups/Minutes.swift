internal import GRDB
internal import Health

/// Reads rows of `minute`.
struct MinuteRows {
    private static let columnsWithoutPhases = "probes, failures, voids, reasons, sum_us, min_us, max_us, latency"

    /// The greatest distance from the chunk's own minute: eight thousand years.
    private static let mostMinutes: Int64 = 1 << 32

    private let select: Prepared

    init(_ db: Database, withPhases: Bool) throws {
        let columns = Self.columnsWithoutPhases + (withPhases ? ", phases" : "")
        select = try Prepared(db, "SELECT minute, \(columns) FROM minute WHERE id >= ? AND id < ?")
    }

    /// Each row that one chunk has of one target: the number of the minute since 1970, and the column at which
    /// ``PeriodSum/addMinute(_:from:withPhases:)`` begins to read. A minute may come twice; a minute at the edge of two chunks always does.
    func each(of target: Int64, in chunk: StoredChunk, _ body: (Int64, CellReader, Int32) -> Void) throws {
        select.bind(ResultID.make(chunk: chunk.id, target: target), at: 1)
        select.bind(ResultID.make(chunk: chunk.id, target: target + 1), at: 2)
        let base = chunk.base.flooredQuotient(by: Counting.minute)
        try select.run { row in
            body(base + max(-Self.mostMinutes, min(row.number(0), Self.mostMinutes)), row, 1)
            return true
        }
    }
}

/// The minute that is being counted while one target's results are moved: its buckets as they come, in memory that is used again.
struct OpenMinute {
    /// The number of the minute since 1970.
    private(set) var minute: Int64 = .min
    private var counts = ResultCounts()
    private var latency = BucketList()
    private var dns = BucketList()
    private var connect = BucketList()
    private var tls = BucketList()
    private var processing = BucketList()
    private var transfer = BucketList()
    private var latencyBytes: [UInt8] = []
    private var phasesBytes: [UInt8] = []

    var isEmpty: Bool { counts.isEmpty }

    mutating func begin(_ minute: Int64) {
        self.minute = minute
        counts = ResultCounts()
        latency.removeAll()
        dns.removeAll()
        connect.removeAll()
        tls.removeAll()
        processing.removeAll()
        transfer.removeAll()
    }

    /// - Parameter reason: why the probe failed.
    mutating func add(_ values: ResultValues, isCounted: Bool, reason: String?) {
        let duration = values.duration
        guard counts.add(duration, isCounted: isCounted, reason: reason) else { return }
        latency.add(duration)
        if let value = values.dns { dns.add(value) }
        if let value = values.connect { connect.add(value) }
        if let value = values.tls { tls.add(value) }
        if let value = values.processing { processing.add(value) }
        if let value = values.transfer { transfer.add(value) }
    }

    /// - Parameter base: the minute of the chunk.
    mutating func write(_ id: Int64, base: Int64, with insert: Prepared) throws {
        insert.bind(id, at: 1)
        insert.bind(minute - base, at: 2)
        counts.bindProbes(to: insert, from: 3)
        counts.bindSums(to: insert, from: 7)
        encode()
        insert.bind(latencyBytes, at: 10)
        insert.bind(phasesBytes, at: 11)
        try insert.run()
    }

    mutating func encode() {
        latencyBytes.removeAll(keepingCapacity: true)
        phasesBytes.removeAll(keepingCapacity: true)
        latency.write(to: &latencyBytes)
        guard !(dns.isEmpty && connect.isEmpty && tls.isEmpty && processing.isEmpty && transfer.isEmpty) else { return }
        dns.writeWithLength(to: &phasesBytes)
        connect.writeWithLength(to: &phasesBytes)
        tls.writeWithLength(to: &phasesBytes)
        processing.writeWithLength(to: &phasesBytes)
        transfer.writeWithLength(to: &phasesBytes)
    }

    /// Once the minute is encoded: for a minute that comes too late to be added up with its hour.
    var rollup: Rollup {
        var rollup = Rollup()
        rollup.counts = counts
        rollup.latency = Distribution(latencyBytes)
        rollup.phases = PhaseDistributions(phasesBytes)
        return rollup
    }
}

/// A few buckets, each as often as a value was in it: written as a ``Distribution`` is.
private struct BucketList {
    private var buckets: [Int32] = []

    var isEmpty: Bool { buckets.isEmpty }

    mutating func removeAll() { buckets.removeAll(keepingCapacity: true) }
    mutating func add(_ value: Int64) { buckets.append(Distribution.bucket(of: value)) }

    mutating func write(to bytes: inout [UInt8]) {
        if buckets.count > 1 { buckets.sort() }
        var (index, next) = (0, Int32(0))
        while index < buckets.count {
            let bucket = buckets[index]
            var end = index + 1
            while end < buckets.count, buckets[end] == bucket { end += 1 }
            Distribution.write(bucket: bucket, count: end - index, after: next, to: &bytes)
            (index, next) = (end, bucket + 1)
        }
    }

    mutating func writeWithLength(to bytes: inout [UInt8]) {
        let start = bytes.count
        // Nearly always the length takes one byte.
        bytes.append(0)
        write(to: &bytes)
        let length = bytes.count - start - 1
        guard length >= 0x80 else { return bytes[start] = UInt8(length) }
        var head: [UInt8] = []
        head.appendLEB128(UInt64(length))
        bytes.replaceSubrange(start...start, with: head)
    }
}
