internal import GRDB
internal import Health

/// Counts results that have not been moved as they will be counted when they are moved.
struct Counting: Sendable {
    static let minute: Int64 = 60_000
    static let hour: Int64 = 3_600_000
    let kinds: [Int64: ResultKind]
    let words: Words

    init(_ db: Database) throws {
        kinds = try ResultKind.all(db)
        words = try Words(db)
    }

    func reason(of kind: ResultKind) -> String? { kind.reason.map { words.reasons[$0] ?? "unknown" } }

    /// - Parameter startedAt: milliseconds since 1970.
    func add(_ values: ResultValues, startedAt: Int64, to counts: inout TargetCounts) {
        guard let kind = kinds[values.kind] else { return }
        let reason = reason(of: kind)
        counts.minutes[startedAt.flooredQuotient(by: Self.minute), default: Rollup()].add(values, kind, reason: reason)
        counts.hours[startedAt.flooredQuotient(by: Self.hour), default: Rollup()].add(values, kind, reason: reason)
        counts.lastResult.apply(values, startedAt, kind, kinds) { hour, time in
            counts.hours[hour, default: Rollup()].time.merge(time)
        }
    }
}

/// What has been counted of one target that isn't in the tables of hours yet.
struct TargetCounts: Sendable {
    var lastResult: LastResultState
    /// By the number of the minute, or of the hour, since 1970.
    var minutes: [Int64: Rollup] = [:]
    var hours: [Int64: Rollup] = [:]
    init(lastResult: LastResultState) { self.lastResult = lastResult }
}

extension ResultKind {
    /// How long a result is believed when no other result follows. After a longer silence nobody knows the state in between.
    static func reach(of interval: Int64) -> Int64 { interval * 3 }

    /// Splits the time between a result of this kind and the next result that counts, because the state after the first is believed until
    /// the second comes. A silence that is too long to believe in is no time in any state.
    ///
    /// - Parameters:
    ///   - length: of a step. Steps are counted from 1970.
    ///   - body: gets each step that the time has a part in, and the milliseconds of this part.
    func eachStep(
        of length: Int64, from start: Int64, until end: Int64, _ body: (_ step: Int64, _ milliseconds: Int64) throws -> Void
    ) rethrows {
        guard start < end, end - start <= Self.reach(of: interval) else { return }
        var start = start
        while start < end {
            let step = start.flooredQuotient(by: length)
            let next = min(end, (step + 1) * length)
            try body(step, next - start)
            start = next
        }
    }
}
