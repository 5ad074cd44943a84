import Health

extension DaemonMetrics {
    /// All of the daemon's families, in one piece: they are a few kilobytes, whatever the number of targets.
    func write(to writer: inout PageWriter, format: MetricsFormat) {
        let state = current()
        var page = DaemonPage(writer: writer, format: format)
        page.family(.gauge, "rangefinder_build_info", "What this daemon was built from: always 1") { line in
            line(build, 1)
        }
        page.probes(state)
        page.schedule(state)
        page.syncs(state)
        page.history(state)
        page.alerting(state)
        page.gauge(
            "rangefinder_config_last_reload_successful", "Whether the last load of the configuration succeeded",
            state.isConfigurationGood ? 1 : 0)
        page.gauge(
            "rangefinder_config_last_reload_success_timestamp_seconds",
            "When the configuration was last loaded successfully, in unixtime", state.lastReload.seconds)
        page.process()
        writer = page.writer
    }
}

private struct DaemonPage {
    typealias Line = (_ labels: [(name: String, value: String)], _ value: Double) -> Void

    var writer: PageWriter
    let format: MetricsFormat

    /// A family without lines is left out.
    mutating func family(_ kind: Family.Kind, _ name: String, _ help: String, lines: (Line) -> Void) {
        var body: [(labels: [(name: String, value: String)], value: Double)] = []
        lines { body.append(($0, $1)) }
        guard !body.isEmpty else { return }
        writer.write(Family(kind, name, help), format: format)
        for (labels, value) in body { writer.write(sample: name, labels: labels, value) }
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Double?) {
        family(.gauge, name, help) { line in
            if let value { line([], value) }
        }
    }

    mutating func counter(_ name: String, _ help: String, _ value: Double?) {
        family(.counter, name, help) { line in
            if let value { line([], value) }
        }
    }

    mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        writer.write(Family(.histogram, name, help), format: format)
        writer.write(name, histogram)
    }

    mutating func probes(_ state: DaemonMetrics.State) {
        family(.gauge, "rangefinder_targets", "Targets of the lists, by what becomes of them") { line in
            for kind in DaemonMetrics.TargetState.allCases {
                line([("state", kind.rawValue)], Double(state.targets[kind] ?? 0))
            }
        }
        gauge("rangefinder_probes_in_flight", "Probes that have started and not ended", Double(state.inFlight))
        histogram(
            "rangefinder_probe_latency_seconds", "How long probes took, of those that counted", state.latency)
        histogram(
            "rangefinder_probe_lateness_seconds", "How long after their due times probes started", state.lateness)
        histogram(
            "rangefinder_probe_self_delay_seconds", "How long what had come for a probe waited for this process",
            state.selfDelay)
        counter(
            "rangefinder_probes_tainted_total", "Results that do not count: the probe started or read too late",
            Double(state.tainted))
        family(.counter, "rangefinder_probe_failures_total", "Bad results of all targets, by reason") { line in
            for reason in Reason.allCases { line([("reason", reason.rawValue)], Double(state.failures[reason] ?? 0)) }
        }
    }

    mutating func schedule(_ state: DaemonMetrics.State) {
        guard let reading = state.schedule?() else { return }
        counter(
            "rangefinder_probes_missed_total", "Due times for which no probe had started when the next one came",
            Double(reading.missed))
        family(.counter, "rangefinder_probes_skipped_total", "Due times that were passed over, by reason") { line in
            line([("reason", "in_flight")], Double(reading.skippedInFlight))
        }
        counter(
            "rangefinder_rechecks_deferred_total", "Fast re-checks that had to wait for the budget",
            Double(reading.rechecksDeferred))
        gauge(
            "rangefinder_overloaded",
            "Whether more probes fall due than this daemon can start on time: due times are passed over while it is 1",
            state.isOverloaded ? 1 : 0)
        family(
            .gauge, "rangefinder_lane_busy_ratio", "Share of the last seconds in which the thread of a lane did not wait"
        ) { line in
            for (lane, ratio) in state.laneBusyRatios.enumerated() { line([("lane", "\(lane)")], ratio) }
        }
    }

    mutating func syncs(_ state: DaemonMetrics.State) {
        let syncs = state.syncs.sorted { $0.key < $1.key }
        // As with the targets' series: the client is told apart only where there is more than one.
        func client(_ id: String) -> [(name: String, value: String)] {
            syncs.count > 1 ? [("client_id", distinctText(id))] : []
        }
        family(
            .gauge, "rangefinder_sync_last_success_timestamp_seconds",
            "When the target list was last fetched and applied, in unixtime; 0 when it never was"
        ) { line in
            for (id, sync) in syncs { line(client(id), sync.lastSuccess.seconds) }
        }
        family(.counter, "rangefinder_sync_failures_total", "Syncs that failed, by reason") { line in
            for (id, sync) in syncs {
                for (word, count) in sync.failures.sorted {
                    line(client(id) + [("reason", displayText(word))], Double(count))
                }
            }
        }
        family(.gauge, "rangefinder_sync_held", "Whether a list that lost too much is held back") { line in
            for (id, sync) in syncs { line(client(id), sync.isHeld ? 1 : 0) }
        }
    }

    mutating func history(_ state: DaemonMetrics.State) {
        guard let reading = state.history?() else { return }
        counter("rangefinder_history_samples_total", "Results that were committed", Double(reading.samples))
        counter(
            "rangefinder_history_dropped_samples_total", "Results that were lost because the queue was full",
            Double(reading.droppedSamples))
        histogram("rangefinder_history_commit_seconds", "How long commits took", state.commits)
        gauge("rangefinder_history_size_bytes", "Size of the database", Double(reading.sizeBytes))
        gauge("rangefinder_history_wal_bytes", "Size of the database's write-ahead log", Double(reading.walBytes))
    }

    mutating func alerting(_ state: DaemonMetrics.State) {
        gauge(
            "rangefinder_vantage_healthy", "Whether the daemon trusts what it sees: 0 when its own place may be what fails",
            state.isVantageHealthy ? 1 : 0)
        guard let reading = state.alerting?() else { return }
        family(.counter, "rangefinder_alerts_sent_total", "Alerts and messages that were sent, by what became of them") { line in
            line([("result", "success")], Double(reading.sent))
            line([("result", "failure")], Double(reading.failed))
        }
        gauge("rangefinder_alerts_queued", "Alerts and messages that wait to be taken", Double(reading.queued))
        family(
            .counter, "rangefinder_alerts_set_aside_total", "Messages that a channel refused for good and that are kept unsent"
        ) { line in
            for (channel, count) in reading.setAside.sorted(by: { $0.key < $1.key }) {
                line([("channel", channel)], Double(count))
            }
        }
        family(
            .counter, "rangefinder_detection_exceptions_total",
            "How often something kept a target's detection bound from being promised, by reason"
        ) { line in
            for (reason, count) in reading.exceptions.sorted(by: { $0.key < $1.key }) {
                line([("reason", reason)], Double(count))
            }
            let schedule = state.schedule?()
            line([("reason", "overload")], Double(schedule?.overloadExceptions ?? 0))
            line([("reason", "recheck_deferred")], Double(schedule?.rechecksDeferred ?? 0))
            line([("reason", "void")], Double(state.voidsWhileUndecided))
        }
    }

    /// Names and help as every Prometheus client library has them.
    mutating func process() {
        let process = ProcessReading.now()
        counter(
            "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", process.cpuSeconds)
        gauge("process_open_fds", "Number of open file descriptors.", process.openFiles)
        gauge("process_max_fds", "Maximum number of open file descriptors.", process.maxFiles)
        gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", process.virtualBytes)
        gauge("process_resident_memory_bytes", "Resident memory size in bytes.", process.residentBytes)
        gauge(
            "process_start_time_seconds", "Start time of the process since unix epoch in seconds.", process.startSeconds)
    }
}
