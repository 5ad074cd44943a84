internal import GRDB
import Health

/// One target's rollups over time, from the coarsest age that fits the resolution, and from the results that have not been moved yet.
struct Series {
    private let reading: TargetReading
    private let span: Range<Int64>
    private let resolution: Int64
    /// Reading how each phase was spread takes longer than all else.
    private let withPhases: Bool
    private var buckets: [Int64: Rollup] = [:]

    /// - Parameters: in milliseconds; `resolution` at least a second.
    static func read(_ reading: TargetReading, _ span: Range<Int64>, resolution: Int64) throws -> [RollupItem] {
        var series = Series(reading: reading, span: span, resolution: max(1000, resolution), withPhases: true)
        if series.resolution < Counting.minute {
            try series.addResults()
        } else {
            try series.addRollups()
        }
        if series.resolution < Counting.hour { try series.addTimes() }
        return series.items
    }

    /// The same without the phases and without the time in each state, which is counted from single results, and all steps as one.
    static func latency(
        _ reading: TargetReading, _ span: Range<Int64>, resolution: Int64
    ) throws -> (steps: [RollupItem], whole: RollupItem) {
        var series = Series(
            reading: reading, span: span, resolution: max(Counting.minute, resolution), withPhases: false)
        try series.addRollups()
        var whole = Rollup()
        for rollup in series.buckets.values { whole.merge(rollup) }
        let length = span.upperBound - span.lowerBound
        return (series.items, RollupItem(start: span.lowerBound, length: length, whole, hasTime: false))
    }

    private init(reading: TargetReading, span: Range<Int64>, resolution: Int64, withPhases: Bool) {
        (self.reading, self.span, self.resolution, self.withPhases) = (reading, span, resolution, withPhases)
    }

    private var items: [RollupItem] {
        buckets.sorted { $0.key < $1.key }.map { number, rollup in
            let hasTime = resolution >= Counting.hour || !rollup.time.isEmpty
            return RollupItem(start: number * resolution, length: resolution, rollup, hasTime: hasTime)
        }
    }

    /// Adds a rollup of a period. A period that the span begins in belongs to the span as a whole.
    private mutating func add(_ rollup: Rollup, _ period: Int64, of length: Int64) {
        let start = max(period * length, span.lowerBound)
        guard span.contains(start), (period + 1) * length > start else { return }
        buckets[start.flooredQuotient(by: resolution), default: Rollup()].merge(rollup)
    }

    private mutating func addResults() throws {
        let (counting, resolution) = (reading.counting, resolution)
        var found: [Int64: Rollup] = [:]
        try reading.each(span) { _, startedAt, values in
            guard let kind = counting.kinds[values.kind] else { return true }
            let reason = counting.reason(of: kind)
            found[startedAt.flooredQuotient(by: resolution), default: Rollup()].add(values, kind, reason: reason)
            return true
        }
        buckets = found
    }

    /// Minutes keep no times in states. The times are counted from the results, as long as results are kept.
    private mutating func addTimes() throws {
        let (kinds, resolution) = (reading.counting.kinds, resolution)
        // This target's own interval, where it is known: another target may be probed once a day.
        let newest = try LastResultState(reading.db, reading.target).countedKind.flatMap { kinds[$0]?.interval }
        let reach = ResultKind.reach(of: newest ?? kinds.values.map(\.interval).max() ?? 0)
        var times: [Int64: StatusTime] = [:]
        var before: (at: Int64, kind: ResultKind)?
        try reading.each(span.lowerBound - reach..<span.upperBound + reach) { _, startedAt, values in
            guard let kind = kinds[values.kind], kind.isCounted else { return true }
            if let before {
                before.kind.eachStep(of: resolution, from: before.at, until: startedAt) { bucket, milliseconds in
                    times[bucket, default: StatusTime()].add(milliseconds, before.kind)
                }
            }
            before = (startedAt, kind)
            return true
        }
        for bucket in buckets.keys { times[bucket].map { buckets[bucket]?.time.merge($0) } }
    }

    private mutating func addRollups() throws {
        let waiting = try reading.waiting()
        if resolution < Counting.hour {
            try addMinutes()
            for (minute, rollup) in waiting.minutes { add(rollup, minute, of: Counting.minute) }
            return
        }
        if resolution.isMultiple(of: PeriodTable.days.milliseconds) {
            try addPeriods(.days, in: span)
            // Hours that aren't in their days yet.
            let through = try Progress.days.read(reading.db)
            try addPeriods(.hours, in: span, from: PeriodID.period(through) * Progress.days.hours) { [reading] hour in
                !Progress.days.includes(hour, of: reading.target, through: through)
            }
        } else {
            try addPeriods(.hours, in: span)
        }
        for (hour, rollup) in waiting.hours { add(rollup, hour, of: Counting.hour) }
    }

    private mutating func addMinutes() throws {
        let rows = try MinuteRows(reading.db, withPhases: withPhases)
        var sum = PeriodSum()
        for chunk in try StoredChunk.all(reading.db, span) where chunk.moved >= reading.target {
            try rows.each(of: reading.target, in: chunk) { minute, row, column in
                sum.addMinute(row, from: column, withPhases: withPhases)
                add(sum.reset(), minute, of: Counting.minute)
            }
        }
    }

    private mutating func addPeriods(
        _ table: PeriodTable, in span: Range<Int64>, from earliest: Int64 = .min, where isWanted: (Int64) -> Bool = { _ in true }
    ) throws {
        let (columns, source) =
            withPhases ? (PeriodTable.columns, table.withPhases) : (PeriodTable.columnsWithoutPhases, table.name)
        let select = try Prepared(reading.db, "SELECT \(columns) FROM \(source) WHERE id = ?")
        let first = max(span.lowerBound.flooredQuotient(by: table.milliseconds), earliest)
        // Nothing is there before the first row and after the last.
        let ends = try ["min", "max"].map { try reading.db.integer("SELECT \($0)(id) FROM \(table.name)").map(PeriodID.period) }
        guard let least = ends[0], let most = ends[1] else { return }
        let end = min((span.upperBound - 1).flooredQuotient(by: table.milliseconds), most)
        guard max(first, least) <= end else { return }
        var sum = PeriodSum()
        for period in max(first, least)...end where isWanted(period) {
            select.bind(PeriodID.make(period: period, target: reading.target), at: 1)
            try select.run { row in
                sum.add(row, from: 0, withPhases: withPhases)
                add(sum.reset(), period, of: table.milliseconds)
                return false
            }
        }
    }
}
