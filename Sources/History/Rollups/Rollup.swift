import Health

/// A summary of the results of some time: counts, and the distribution of the latency of probes that succeeded. Rollups add up.
struct Rollup: Hashable, Sendable {
    var counts = ResultCounts()
    var latency = Distribution()
    /// The same of each part of the latency.
    var phases = PhaseDistributions()
    /// How long the target was believed to be in each state, in milliseconds.
    var time = StatusTime()

    mutating func add(_ row: ResultValues, _ kind: ResultKind, reason: String?) {
        let duration = row.duration
        guard counts.add(duration, isCounted: kind.isCounted, reason: reason) else { return }
        latency.add(duration)
        phases.add(row)
    }

    mutating func merge(_ other: Rollup) {
        counts.merge(other.counts)
        latency.merge(other.latency)
        phases.merge(other.phases)
        time.merge(other.time)
    }

    /// A percentile of the latency; exact at both ends.
    func percentile(_ share: Double) -> Int64? {
        latency.percentile(share).map { min(max($0, counts.least ?? $0), counts.most ?? $0) }
    }
}

/// Milliseconds by the state that was believed. Time that is in no state is unknown.
struct StatusTime: Hashable, Sendable {
    var up: Int64 = 0
    var degraded: Int64 = 0
    var down: Int64 = 0
    var maintenance: Int64 = 0

    mutating func add(_ milliseconds: Int64, _ kind: ResultKind) {
        guard !kind.isInMaintenance else { return maintenance &+= milliseconds }
        switch Status(code: Int(kind.status)) {
        case .up: up &+= milliseconds
        case .degraded: degraded &+= milliseconds
        case .down: down &+= milliseconds
        case .unknown, nil: break
        }
    }

    var isEmpty: Bool { up == 0 && degraded == 0 && down == 0 && maintenance == 0 }

    mutating func merge(_ other: StatusTime) {
        up &+= other.up
        degraded &+= other.degraded
        down &+= other.down
        maintenance &+= other.maintenance
    }
}

/// A distribution for each part of a probe. As bytes: for each part in its order, LEB128 of the number of its bytes, and these bytes.
struct PhaseDistributions: Hashable, Sendable {
    var dns = Distribution()
    var connect = Distribution()
    var tls = Distribution()
    var processing = Distribution()
    var transfer = Distribution()

    static let all: [any WritableKeyPath<PhaseDistributions, Distribution> & Sendable] = [
        \.dns, \.connect, \.tls, \.processing, \.transfer,
    ]

    var isEmpty: Bool { Self.all.allSatisfy { self[keyPath: $0].isEmpty } }

    mutating func add(_ row: ResultValues) {
        if let value = row.dns { dns.add(value) }
        if let value = row.connect { connect.add(value) }
        if let value = row.tls { tls.add(value) }
        if let value = row.processing { processing.add(value) }
        if let value = row.transfer { transfer.add(value) }
    }

    mutating func merge(_ other: PhaseDistributions) {
        dns.merge(other.dns)
        connect.merge(other.connect)
        tls.merge(other.tls)
        processing.merge(other.processing)
        transfer.merge(other.transfer)
    }

    func write(to bytes: inout [UInt8]) {
        for phase in [dns, connect, tls, processing, transfer] {
            var own: [UInt8] = []
            phase.write(to: &own)
            bytes.appendLEB128(UInt64(own.count))
            bytes += own
        }
    }

    init() {}

    init(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            Self.split(bytes) { phase, own in self[keyPath: Self.all[phase]] = Distribution(own) }
        }
    }

    /// Each part's own bytes, by its place in ``all``. Bytes that aren't in the form above end the reading.
    static func split(_ bytes: UnsafeRawBufferPointer, _ body: (_ phase: Int, UnsafeRawBufferPointer) -> Void) {
        var reader = LEB128Reader(bytes)
        for phase in all.indices {
            guard let length = reader.next(), let own = reader.skip(length) else { return }
            if !own.isEmpty { body(phase, UnsafeRawBufferPointer(rebasing: bytes[own])) }
        }
    }
}
