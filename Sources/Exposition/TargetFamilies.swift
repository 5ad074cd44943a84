import Health

/// One value of a target, or which of a closed set of words applies to it. NaN where there is none.
enum Column: Int, CaseIterable, Sendable {
    case duration, timeout, addressHash, resolve, connect, tls, processing, transfer
    case httpVersion, contentLength, bodyLength, lastModified, presentedExpiry, chainExpiry
    case lastProbe, successes, failures, voids, detectionBound, interval
    // From here on small whole numbers, which take half the room.
    case success, ipProtocol, httpStatus, ssl, redirects, failedPattern, tlsVersion
    case status, consecutiveFailures, reason, cause

    static let firstSmall = Column.success.rawValue
    /// Those that results fill; the others stand in the policy.
    static let ofResults = allCases.filter { $0 != .detectionBound && $0 != .interval }
}

extension Phase {
    var column: Column {
        switch self {
        case .dns: .resolve
        case .connect: .connect
        case .tls: .tls
        case .processing: .processing
        case .transfer: .transfer
        }
    }
}

/// What a target showed last, as labels.
enum Caption: Int, CaseIterable, Sendable { case chain, cipher }

/// The labels of a caption, ready for the page, and what they were made of: they seldom change from one probe to the next.
struct CaptionText: Sendable {
    let source: [UInt8]
    let labels: [UInt8]

    init(_ source: [UInt8], _ write: (inout PageWriter) -> Void) {
        var writer = PageWriter()
        write(&writer)
        (self.source, labels) = (source, writer.bytes)
    }
}

/// What is true of few targets at a time: kept as sets, where a column would cost all targets a number.
enum Flag: Sendable { case held, inMaintenance }

/// All targets' values: family-major, because a page is written family by family.
struct SeriesStore: Sendable {
    let slotCount: Int
    /// Slots.
    var flags: [Flag: Set<Int>] = [:]
    private var values: [Double]
    /// Those of small columns: a Float holds whole numbers up to 2^24 as they are.
    private var smallValues: [Float]
    /// Empty until there is one: without HTTPS there is none.
    private var captions: [CaptionText?] = []

    init(slotCount: Int) {
        self.slotCount = slotCount
        values = [Double](repeating: .nan, count: slotCount * Column.firstSmall)
        smallValues = [Float](repeating: .nan, count: slotCount * (Column.allCases.count - Column.firstSmall))
    }

    subscript(column: Column, slot: Int) -> Double {
        get {
            let small = column.rawValue - Column.firstSmall
            return small < 0 ? values[column.rawValue * slotCount + slot] : Double(smallValues[small * slotCount + slot])
        }
        set {
            let small = column.rawValue - Column.firstSmall
            if small < 0 {
                values[column.rawValue * slotCount + slot] = newValue
            } else {
                smallValues[small * slotCount + slot] = Float(newValue)
            }
        }
    }

    subscript(caption: Caption, slot: Int) -> CaptionText? {
        get { captions.isEmpty ? nil : captions[caption.rawValue * slotCount + slot] }
        set {
            if captions.isEmpty {
                guard newValue != nil else { return }
                captions = [CaptionText?](repeating: nil, count: slotCount * Caption.allCases.count)
            }
            captions[caption.rawValue * slotCount + slot] = newValue
        }
    }

    /// A copy that is made now, and not by the next one who writes.
    func copied() -> SeriesStore {
        var copy = self
        (copy.values, copy.smallValues) = (Self.copied(values), Self.copied(smallValues))
        return copy
    }

    private static func copied<Element>(_ values: [Element]) -> [Element] {
        [Element](unsafeUninitializedCapacity: values.count) { buffer, count in
            _ = buffer.initialize(from: values)
            count = values.count
        }
    }
}

/// One family of per-target lines: its name, and how they are made of the columns.
struct TargetFamily: Sendable {
    enum Lines: Sendable {
        /// One line, if there is a value.
        case one(Column)
        /// One line a column, told apart by a label.
        case each([(label: [UInt8], column: Column)])
        /// One line with the value 1, with the label that the column names.
        case chosen(Column, [[UInt8]])
        /// A line for every label: 1 for the one that the column names, 0 for the others.
        case oneOf(Column, [[UInt8]])
        /// One line: 1 where the mark is, else 0.
        case flag(Flag)
        /// One line with the value 1 and the caption's labels, if there is one.
        case captioned(Caption)
    }

    let family: Family
    let lines: Lines
    let isEssential: Bool
    private let start: [UInt8]

    init(_ family: Family, _ lines: Lines, isEssential: Bool = false) {
        self.family = family
        self.lines = lines
        self.isEssential = isEssential
        start = Array((family.name + "{").utf8)
    }

    func hasLine(of slot: Int, in store: SeriesStore) -> Bool {
        switch lines {
        case .one(let column), .chosen(let column, _), .oneOf(let column, _): !store[column, slot].isNaN
        case .each(let columns): columns.contains { !store[$0.column, slot].isNaN }
        case .flag: true
        case .captioned(let caption): store[caption, slot] != nil
        }
    }

    func writeLines(of slot: Int, labels: ArraySlice<UInt8>, in store: SeriesStore, to writer: inout PageWriter) {
        func line(_ label: [UInt8], _ value: Double) {
            if value.isNaN { return }
            writer.write(start)
            writer.write(labels)
            writer.write(label)
            writer.write("} ")
            writer.write(value)
            writer.write("\n")
        }
        switch lines {
        case .one(let column): line([], store[column, slot])
        case .each(let columns): for (label, column) in columns { line(label, store[column, slot]) }
        case .chosen(let column, let values):
            let choice = store[column, slot]
            if !choice.isNaN { line(values[Int(choice)], 1) }
        case .oneOf(let column, let values):
            let choice = store[column, slot]
            if choice.isNaN { return }
            for (index, label) in values.enumerated() { line(label, index == Int(choice) ? 1 : 0) }
        case .flag(let mark): line([], store.flags[mark]?.contains(slot) == true ? 1 : 0)
        case .captioned(let caption): if let text = store[caption, slot] { line(text.labels, 1) }
        }
    }

    /// `,name="value"` for each of the values, which need no escaping.
    private static func labels(_ name: String, _ values: [String]) -> [[UInt8]] {
        values.map { Array(",\(name)=\"\($0)\"".utf8) }
    }

    private static func columns(_ name: String, _ columns: [(label: String, column: Column)]) -> Lines {
        .each(columns.map { (Array(",\(name)=\"\($0.label)\"".utf8), $0.column) })
    }

    static let all: [TargetFamily] = blackbox + ours

    /// Names, help and units are blackbox_exporter's (prober/handler.go, prober/http.go), so that its dashboards and rules
    /// work unchanged.
    private static let blackbox: [TargetFamily] = [
        TargetFamily(
            Family(.gauge, "probe_success", "Displays whether or not the probe was a success"), .one(.success),
            isEssential: true),
        TargetFamily(
            Family(.gauge, "probe_duration_seconds", "Returns how long the probe took to complete in seconds"), .one(.duration),
            isEssential: true),
        TargetFamily(
            Family(.gauge, "probe_timeout_seconds", "Returns how long the probe timeout is in seconds"), .one(.timeout)),
        TargetFamily(
            Family(.gauge, "probe_dns_lookup_time_seconds", "Returns the time taken for probe dns lookup in seconds"),
            .one(.resolve)),
        TargetFamily(
            Family(.gauge, "probe_ip_protocol", "Specifies whether probe ip protocol is IP4 or IP6"), .one(.ipProtocol)),
        TargetFamily(
            Family(
                .gauge, "probe_ip_addr_hash",
                "Specifies the hash of IP address. It's useful to detect if the IP address changes."), .one(.addressHash)),
        TargetFamily(
            Family(.gauge, "probe_http_duration_seconds", "Duration of http request by phase, summed over all redirects"),
            columns("phase", Phase.allCases.map { ($0.shownName, $0.column) })),
        TargetFamily(
            Family(.gauge, "probe_http_status_code", "Response HTTP status code"), .one(.httpStatus), isEssential: true),
        TargetFamily(
            Family(.gauge, "probe_http_version", "Returns the version of HTTP of the probe response"), .one(.httpVersion)),
        TargetFamily(
            Family(.gauge, "probe_http_ssl", "Indicates if SSL was used for the final redirect"), .one(.ssl)),
        TargetFamily(Family(.gauge, "probe_http_redirects", "The number of redirects"), .one(.redirects)),
        TargetFamily(
            Family(.gauge, "probe_http_content_length", "Length of http content response"), .one(.contentLength)),
        TargetFamily(
            Family(.gauge, "probe_http_uncompressed_body_length", "Length of uncompressed response body"), .one(.bodyLength)),
        TargetFamily(
            Family(
                .gauge, "probe_http_last_modified_timestamp_seconds",
                "Returns the Last-Modified HTTP response header in unixtime"), .one(.lastModified)),
        TargetFamily(
            Family(.gauge, "probe_failed_due_to_regex", "Indicates if probe failed due to regex"), .one(.failedPattern)),
        TargetFamily(
            Family(.gauge, "probe_ssl_earliest_cert_expiry", "Returns last SSL chain expiry in unixtime"),
            .one(.presentedExpiry)),
        TargetFamily(
            Family(
                .gauge, "probe_ssl_last_chain_expiry_timestamp_seconds", "Returns last SSL chain expiry in timestamp"),
            .one(.chainExpiry), isEssential: true),
        TargetFamily(
            Family(.gauge, "probe_ssl_last_chain_info", "Contains SSL leaf certificate information"), .captioned(.chain)),
        TargetFamily(
            Family(.gauge, "probe_tls_version_info", "Returns the TLS version used or NaN when unknown"),
            .chosen(.tlsVersion, labels("version", TLSVersion.allCases.map(\.rawValue)))),
        TargetFamily(
            Family(.gauge, "probe_tls_cipher_info", "Returns the TLS cipher negotiated during handshake"), .captioned(.cipher)),
    ]

    private static let ours: [TargetFamily] = [
        TargetFamily(
            Family(.gauge, "rangefinder_target_status", "What is believed of the target: exactly one of the four is 1"),
            .oneOf(.status, labels("status", Status.allCases.map(\.rawValue)))),
        TargetFamily(
            Family(.gauge, "rangefinder_target_status_code", "The target's status: 0 unknown, 1 up, 2 degraded, 3 down"),
            .one(.status), isEssential: true),
        TargetFamily(
            Family(.gauge, "rangefinder_target_consecutive_failures", "Bad results in a row up to now"),
            .one(.consecutiveFailures)),
        TargetFamily(
            Family(
                .gauge, "rangefinder_target_last_probe_timestamp_seconds",
                "When the last probe that counted started, in unixtime"), .one(.lastProbe), isEssential: true),
        TargetFamily(
            Family(.counter, "rangefinder_target_probes_total", "Probes of the target by what they ended in"),
            columns("result", [("success", .successes), ("failure", .failures), ("void", .voids)])),
        TargetFamily(
            Family(.gauge, "rangefinder_target_failure_reason", "Why the last probe was bad; absent when it was not"),
            .chosen(.reason, labels("reason", Reason.allCases.map(\.rawValue)))),
        TargetFamily(
            Family(.gauge, "rangefinder_target_degraded_cause", "Why the target is degraded; absent when it is not"),
            .chosen(.cause, labels("cause", Cause.allCases.map(\.rawValue)))),
        TargetFamily(
            Family(
                .gauge, "rangefinder_target_detection_bound_seconds",
                "The longest time from when every probe that starts fails to the first byte of the alert"),
            .one(.detectionBound)),
        TargetFamily(
            Family(.gauge, "rangefinder_target_interval_seconds", "The time from one of the target's due times to the next"),
            .one(.interval), isEssential: true),
        TargetFamily(
            Family(.gauge, "rangefinder_target_held", "Whether the target's alert waits because the vantage is in doubt"),
            .flag(.held)),
        TargetFamily(
            Family(.gauge, "rangefinder_target_in_maintenance", "Whether the target is in a maintenance window"),
            .flag(.inMaintenance)),
    ]
}
