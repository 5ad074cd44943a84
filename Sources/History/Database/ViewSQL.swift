/// The columns and joins of the views of this version. An export selects the same, in steps.
enum ViewSQL {
    /// - Parameter row: the name of the row of `recent` or `settled`; its chunk is `c` and its target `t`.
    static func resultColumns(_ id: String, _ row: String) -> String {
        """
        \(id) AS result_id, t.target_id, t.client_id, t.name AS target, t.region, v.name AS vantage,
            c.base_ms + \(row).offset_ms AS started_at_ms, CASE k.void WHEN 0 THEN k.reason IS NULL END AS success,
            k.void <> 0 AS void, s.name AS status, b.name AS reason, u.name AS cause, k.http_status,
            CASE typeof(\(row).address) WHEN 'text' THEN \(row).address ELSE a.text END AS address,
            \(row).rest_us + coalesce(\(row).dns_us, 0) + coalesce(\(row).connect_us, 0) + coalesce(\(row).tls_us, 0)
                + coalesce(\(row).processing_us, 0) + coalesce(\(row).transfer_us, 0) AS duration_us,
            \(row).dns_us, \(row).connect_us, \(row).tls_us, \(row).processing_us, \(row).transfer_us, \(row).lateness_us
        """
    }

    static func resultWords(_ row: String) -> String {
        """
        LEFT JOIN kind k ON k.id = \(row).kind LEFT JOIN vantage v ON v.id = k.vantage LEFT JOIN status s ON s.id = k.status
            LEFT JOIN reason b ON b.id = k.reason LEFT JOIN cause u ON u.id = k.cause
            LEFT JOIN target_address a ON a.target = t.id AND a.place = \(row).address
        """
    }

    /// Only of hours that are over: of the hour that isn't over, the table `hour` has at most times.
    static let availabilityColumns = """
        t.target_id, t.client_id, t.name AS target, t.region, v.name AS vantage, (h.id >> \(ResultID.targetBits)) * \(Counting.hour) AS start_ms,
            3600 AS seconds, h.probes, h.failures, h.voids, h.up_ms, h.degraded_ms, h.down_ms,
            max(0, \(Counting.hour) - h.up_ms - h.degraded_ms - h.down_ms - h.maintenance_ms) AS unknown_ms,
            h.maintenance_ms, h.p50_us, h.p95_us, h.p99_us
        """
    static let availabilitySources = """
        (SELECT value FROM progress WHERE name = 'minutes_in_hours') p CROSS JOIN hour h ON h.id <= p.value
            LEFT JOIN target t ON t.id = (h.id & \(ResultID.targetMax)) LEFT JOIN vantage v ON v.id = h.vantage
        """
}
