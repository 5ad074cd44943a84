internal import GRDB
internal import Health

/// How results are counted: the same whether they are being moved or are still where they came.
struct Counting: Sendable {
    static let minute: Int64 = 60_000
    static let hour: Int64 = 3_600_000
    /// A longer silence than so many intervals is time that nobody saw.
    private static let intervalsMax: Int64 = 3

    let kinds: [Int64: Kind]
    let words: Words

    init(_ db: Database) throws {
        kinds = try Kind.all(db)
        words = try Words(db)
    }

    func reason(of kind: Kind) -> String? { kind.reason.map { words.reasons[$0] ?? "unknown" } }

    /// - Parameter startedAt: milliseconds since 1970.
    func add(_ values: ResultValues, startedAt: Int64, to counts: inout TargetCounts) {
        guard let kind = kinds[values.kind] else { return }
        let reason = reason(of: kind)
        counts.minutes[startedAt.quotient(Self.minute), default: Tally()].add(values, kind, reason: reason)
        counts.hours[startedAt.quotient(Self.hour), default: Tally()].add(values, kind, reason: reason)
        if kind.isCounted { spread(until: startedAt, over: &counts) }
        counts.standing.follow(values, startedAt, kind)
        counts.vantage = kind.vantage
        counts.span = counts.span.map { min($0.lowerBound, startedAt)...max($0.upperBound, startedAt) } ?? startedAt...startedAt
    }

    /// What was believed since the result before holds until this one, unless nobody looked for too long.
    private func spread(until end: Int64, over counts: inout TargetCounts) {
        guard var start = counts.standing.countedAt, let kind = counts.standing.countedKind.flatMap({ kinds[$0] }),
            start < end, end - start <= kind.interval * Self.intervalsMax
        else { return }
        while start < end {
            let hour = start.quotient(Self.hour)
            let next = min(end, (hour + 1) * Self.hour)
            counts.hours[hour, default: Tally()].time.add(next - start, statusCode: kind.status)
            start = next
        }
    }
}

/// What has been counted of one target.
struct TargetCounts: Sendable {
    var standing: Standing
    /// By the number of the minute, or of the hour, since 1970.
    var minutes: [Int64: Tally] = [:]
    var hours: [Int64: Tally] = [:]
    var vantage: Int64 = 0
    /// When the first and the last of the results started.
    var span: ClosedRange<Int64>?

    init(standing: Standing) { self.standing = standing }
}

extension Int64 {
    /// Of a division that rounds down, also below 0.
    func quotient(_ divisor: Int64) -> Int64 { self / divisor - (self % divisor < 0 ? 1 : 0) }
}

/// The last result of a target that has been moved, and the last that counted.
struct Standing {
    private(set) var lastAt: Int64?
    private(set) var lastKind: Int64?
    private(set) var lastDuration: Int64?
    private(set) var countedAt: Int64?
    private(set) var countedKind: Int64?

    init(_ db: Database, _ target: Int64) throws {
        try db.run(
            "SELECT last_ms, last_kind, last_us, counted_ms, counted_kind FROM standing WHERE target = ?", [.integer(target)]
        ) { row in
            (lastAt, lastKind, lastDuration) = (row.integer(0), row.integer(1), row.integer(2))
            (countedAt, countedKind) = (row.integer(3), row.integer(4))
            return false
        }
    }

    mutating func follow(_ values: ResultValues, _ startedAt: Int64, _ kind: Kind) {
        (lastAt, lastKind, lastDuration) = (startedAt, values.kind, values.duration)
        if kind.isCounted { (countedAt, countedKind) = (startedAt, values.kind) }
    }

    func write(_ db: Database, _ target: Int64) throws {
        try db.run(
            "INSERT OR REPLACE INTO standing VALUES (?, ?, ?, ?, ?, ?)",
            [.integer(target), Cell(lastAt), Cell(lastKind), Cell(lastDuration), Cell(countedAt), Cell(countedKind)])
    }
}
