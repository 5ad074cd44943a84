internal import Health

/// Adds up rows of minutes, hours or days in SQLite's own memory. Its memory is used again for the next sum.
struct PeriodSum {
    private var rollup = Rollup()
    private var latency = DistributionSum()
    private var phases = [DistributionSum](repeating: DistributionSum(), count: PhaseDistributions.all.count)
    private(set) var isEmpty = true

    mutating func add(_ other: Rollup) {
        isEmpty = false
        rollup.counts.merge(other.counts)
        rollup.time.merge(other.time)
        latency.add(other.latency)
        for (index, phase) in PhaseDistributions.all.enumerated() { phases[index].add(other.phases[keyPath: phase]) }
    }

    /// - Parameter column: where ``PeriodTable/columnsWithoutPhases`` begin, or ``PeriodTable/columns`` when `withPhases`.
    mutating func add(_ row: CellReader, from column: Int32, withPhases: Bool) {
        isEmpty = false
        rollup.addCounts(row, from: column)
        row.withBlob(column + 11) { latency.add($0) }
        if withPhases { addPhases(row, column + 12) }
    }

    /// - Parameter column: where ``MinuteRows`` says that the counts begin.
    mutating func addMinute(_ row: CellReader, from column: Int32, withPhases: Bool) {
        isEmpty = false
        rollup.counts.addMinute(row, from: column)
        row.withBlob(column + 7) { latency.add($0) }
        if withPhases { addPhases(row, column + 8) }
    }

    mutating func add(_ time: StatusTime) {
        isEmpty = false
        rollup.time.merge(time)
    }

    private mutating func addPhases(_ row: CellReader, _ column: Int32) {
        row.withBlob(column) { bytes in
            PhaseDistributions.split(bytes) { phase, own in phases[phase].add(own) }
        }
    }

    /// Begins the next sum. Returns what has been added up.
    mutating func reset() -> Rollup {
        defer { (rollup, isEmpty) = (Rollup(), true) }
        rollup.latency = latency.reset()
        for (index, phase) in PhaseDistributions.all.enumerated() where !phases[index].isEmpty {
            rollup.phases[keyPath: phase] = phases[index].reset()
        }
        return rollup
    }
}
