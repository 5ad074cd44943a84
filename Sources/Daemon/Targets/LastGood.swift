import Health

/// What is remembered of a target's last good probe. There is one for each target, so it is small.
struct LastGood: Sendable {
    private static let none = Int32.min

    private let startedAt: Timestamp
    private let status: UInt16
    private let address: String?
    private let microseconds: UInt32
    /// In the order of ``Phase``; ``none`` for a part that was not reached.
    private let parts: (Int32, Int32, Int32, Int32, Int32)

    init(_ result: ProbeResult) {
        startedAt = result.startedAt
        status = UInt16(clamping: result.facts.httpStatus ?? 0)
        address = result.facts.address
        microseconds = UInt32(clamping: result.duration.wholeMicroseconds)
        func part(_ phase: Phase) -> Int32 { result.phases[phase].map { Int32(clamping: $0.wholeMicroseconds) } ?? Self.none }
        parts = (part(.dns), part(.connect), part(.tls), part(.processing), part(.transfer))
    }

    var duration: Duration { .microseconds(Int64(microseconds)) }

    var phases: Phases {
        func part(_ value: Int32) -> Duration? { value == Self.none ? nil : .microseconds(Int64(value)) }
        return Phases(
            dns: part(parts.0), connect: part(parts.1), tls: part(parts.2), processing: part(parts.3), transfer: part(parts.4))
    }

    var evidence: Evidence {
        Evidence(at: startedAt, httpStatus: status == 0 ? nil : Int(status), address: address, phases: phases)
    }
}
