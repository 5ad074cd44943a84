import Health

/// What is left of the results of some time: counts, and how the latency of those that succeeded was spread. Tallies add up.
struct Rollup: Hashable, Sendable {
    /// Those that counted.
    var probes = 0
    var failures = 0
    var voids = 0
    /// By the reason's word.
    var reasons: [String: Int] = [:]
    /// Of probes that succeeded, in microseconds: the duration and its parts. A refused connection is quick, and says nothing of the target.
    var sum: Int64 = 0
    var least: Int64?
    var most: Int64?
    var latency = Distribution()
    var phases = PhaseDistributions()
    /// How long the target was believed to be in each state, in milliseconds.
    var time = StatusTime()

    mutating func add(_ row: ResultValues, _ kind: ResultKind, reason: String?) {
        guard kind.isCounted else {
            voids &+= 1
            return
        }
        probes &+= 1
        if let reason {
            failures &+= 1
            reasons[reason, default: 0] += 1
            return
        }
        let duration = row.duration
        sum &+= duration
        least = min(least ?? duration, duration)
        most = max(most ?? duration, duration)
        latency.add(duration)
        phases.add(row)
    }

    mutating func merge(_ other: Rollup) {
        probes &+= other.probes
        failures &+= other.failures
        voids &+= other.voids
        reasons.merge(other.reasons, uniquingKeysWith: +)
        sum &+= other.sum
        least = [least, other.least].compactMap(\.self).min()
        most = [most, other.most].compactMap(\.self).max()
        latency.merge(other.latency)
        phases.merge(other.phases)
        time.merge(other.time)
    }
}

/// Milliseconds by what was believed. What is in none of them is unknown.
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

/// A distribution for each part of a probe. As bytes: for each in its order, LEB128 of the length of its own, and those.
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

    /// Each part's own bytes, by its place in ``all``. What isn't in the form above ends it.
    static func split(_ bytes: UnsafeRawBufferPointer, _ body: (_ phase: Int, UnsafeRawBufferPointer) -> Void) {
        var start = 0
        for phase in all.indices {
            var (length, shift) = (0, 0)
            while start < bytes.count, shift < 28 {
                let byte = bytes[start]
                length |= Int(byte & 0x7f) << shift
                (start, shift) = (start + 1, shift + 7)
                if byte < 0x80 { break }
            }
            guard length <= bytes.count - start else { return }
            if length > 0 { body(phase, UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])) }
            start += length
        }
    }
}
