internal import GRDB
internal import Health

/// How results are counted: the same whether they are being moved or are still where they came.
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
        counts.minutes[startedAt.quotient(Self.minute), default: Rollup()].add(values, kind, reason: reason)
        counts.hours[startedAt.quotient(Self.hour), default: Rollup()].add(values, kind, reason: reason)
        counts.standing.apply(values, startedAt, kind, kinds) { hour, time in
            counts.hours[hour, default: Rollup()].time.merge(time)
        }
    }
}

/// What has been counted of one target.
struct TargetCounts: Sendable {
    var standing: LastResultState
    /// By the number of the minute, or of the hour, since 1970.
    var minutes: [Int64: Rollup] = [:]
    var hours: [Int64: Rollup] = [:]
    init(standing: LastResultState) { self.standing = standing }
}

extension Int64 {
    /// Of a division that rounds down, also below 0.
    func quotient(_ divisor: Int64) -> Int64 { self / divisor - (self % divisor < 0 ? 1 : 0) }
}
