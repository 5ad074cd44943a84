internal import GRDB
package import Health

// What pages ask of one target, and of incidents: each a bounded number of searches.
extension HistoryReader {
    /// The newest results of one target, the newest first; void ones included.
    package func newestResults(of target: TargetIdentity, limit: Int) throws(HistoryError) -> [ResultItem] {
        try read { try TargetReading($0, target)?.newestResults(limit: limit) ?? [] }
    }

    /// The latency of one target in steps of `resolution` since 1970 that have anything, and of the whole span. No step has times.
    ///
    /// - Parameter resolution: a minute at least.
    package func latency(
        of target: TargetIdentity, in span: Range<Timestamp>, resolution: Duration
    ) throws(HistoryError) -> (steps: [RollupItem], whole: RollupItem)? {
        try read { db in
            try TargetReading(db, target).map {
                try Series.latency($0, span.milliseconds, resolution: resolution.wholeMilliseconds)
            }
        }
    }

    /// The incidents that a filter holds, newest first.
    package func incidents(_ filter: IncidentFilter) throws(HistoryError) -> [IncidentRow] {
        try read { try IncidentRow.all($0, filter) }
    }

    /// How many incidents are open.
    package func openIncidents() throws(HistoryError) -> Int {
        try read { db in Int(try db.integer("SELECT count(*) FROM incident WHERE ended_at_ms IS NULL") ?? 0) }
    }

    /// Incidents of any target that began in a span of time, those that began first.
    package func incidents(
        begunIn span: ClosedRange<Timestamp>, limit: Int = 1000
    ) throws(HistoryError) -> [RelatedIncident] {
        try read { try RelatedIncident.begun($0, in: span, limit: limit) }
    }

    /// The newest incidents with what the feed shows of them; without their evidence.
    package func newestDetails(limit: Int) throws(HistoryError) -> [IncidentDetail] {
        try read { db in
            var filter = IncidentFilter()
            filter.limit = limit
            return try IncidentRow.all(db, filter).map { try IncidentDetail.read(db, $0) }
        }
    }
}
