// Exposition: the bytes of /metrics, in Prometheus' text format 0.0.4 and in OpenMetrics 1.0.0.
// What lives here: the series of targets and of the daemon, their names and help, and the page as chunks of bytes.
// What doesn't: HTTP, negotiation and compression (Web), judging results (Health), Prometheus' rules (config/prometheus).
// Results come in from Daemon, which also hands the page to Web, chunk by chunk.
// The names are pinned; where blackbox_exporter has the same thing, so are its help texts and units.

/// One page of metrics, made while it is read: the values are copied once, the text comes in chunks of about 64 KiB.
///
/// The text of ten thousand targets is tens of megabytes, so it never exists as a whole. A page that was begun must be read
/// to its end, or thrown away: half a page is no page.
package struct MetricsPage: Sequence, IteratorProtocol, Sendable {
    package static let chunkSize = 64 << 10

    private let format: MetricsFormat
    private let snapshot: TargetSeries.Snapshot
    private var writer = PageWriter()
    private var family = 0
    private var position = 0
    private var hasHeader = false
    private var isFinished = false

    package init(
        format: MetricsFormat, selection: MetricsSelection = MetricsSelection(), targets: TargetSeries, daemon: DaemonMetrics
    ) {
        self.format = format
        snapshot = targets.snapshot(selection)
        daemon.write(to: &writer, format: format)
    }

    package mutating func next() -> [UInt8]? {
        while !isFinished, writer.bytes.count < Self.chunkSize {
            if family < snapshot.families.count {
                writeLines()
            } else {
                if format == .openMetrics { writer.write("# EOF\n") }
                isFinished = true
            }
        }
        guard !writer.bytes.isEmpty else { return nil }
        return writer.take(reserving: isFinished ? 0 : Self.chunkSize + Self.chunkSize / 8)
    }

    /// Lines of the current family, until it ends or the chunk is full.
    private mutating func writeLines() {
        let current = snapshot.families[family]
        while position < snapshot.slots.count {
            guard writer.bytes.count < Self.chunkSize else { return }
            let slot = snapshot.slots[position]
            position += 1
            // A family is announced by its first line: one that nobody has must not appear.
            if !hasHeader, current.hasLine(of: slot, in: snapshot.store) {
                writer.write(current.family, format: format)
                hasHeader = true
            }
            guard hasHeader else { continue }
            let labels = snapshot.labels.text(of: slot, withClientID: snapshot.withClientID)
            current.writeLines(of: slot, labels: labels, in: snapshot.store, to: &writer)
        }
        family += 1
        position = 0
        hasHeader = false
    }
}
