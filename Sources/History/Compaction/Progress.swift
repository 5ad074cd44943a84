internal import GRDB
internal import Health

/// How far the rows of one age have been added up to rows of the next age. The table `progress` has a row for each.
///
/// Minutes become hours, and hours days, one target after the other: once, when a time is over. A result that comes later for such a time
/// is added at once to its hour or day.
struct Progress {
    static let hours = Progress(name: "minutes_in_hours", hours: 1)
    /// Six hours together. Hour by hour a day would be written 24 times. Once a day a page of thousands of targets would read up to 23
    /// hours of each target.
    static let days = Progress(name: "hours_in_days", hours: 6)

    let name: String
    /// How many hours are added up together: a block.
    let hours: Int64

    /// ``PeriodID`` of the last block, and the last target in it, that have been added up.
    func read(_ db: Database) throws -> Int64 {
        try db.integer("SELECT value FROM progress WHERE name = ?", [.text(name)]) ?? 0
    }

    func write(_ through: Int64, _ db: Database) throws {
        try db.run("UPDATE progress SET value = ? WHERE name = ?", [.integer(through), .text(name)])
    }

    /// Whether an hour of a target has been added up.
    func includes(_ hour: Int64, of target: Int64, through: Int64) -> Bool {
        PeriodID.make(period: hour.flooredQuotient(by: hours), target: target) <= through
    }

    /// The first target of a block that hasn't been added up.
    func firstTarget(of block: Int64, through: Int64) -> Int64 {
        PeriodID.period(through) == block ? PeriodID.target(through) + 1 : 0
    }

    /// The first hour that has targets that haven't been added up.
    func firstOpenHour(through: Int64) -> Int64 {
        let isWhole = PeriodID.target(through) == ResultID.targetMax
        return (PeriodID.period(through) + (isWhole ? 1 : 0)) * hours
    }
}
