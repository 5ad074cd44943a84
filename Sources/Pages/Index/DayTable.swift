package import Health

/// How long a target was believed to be in each state, in milliseconds.
package struct StateSums: Hashable, Sendable {
    /// Up or degraded.
    package var available: Int64 = 0
    package var degraded: Int64 = 0
    package var down: Int64 = 0
    package var maintenance: Int64 = 0

    package init(available: Int64 = 0, degraded: Int64 = 0, down: Int64 = 0, maintenance: Int64 = 0) {
        (self.available, self.degraded, self.down, self.maintenance) = (available, degraded, down, maintenance)
    }

    package var known: Int64 { available + down }

    package mutating func add(_ other: Self) {
        available += other.available
        degraded += other.degraded
        down += other.down
        maintenance += other.maintenance
    }

    /// A sum is never less than nothing, whatever was counted later for a day that leaves.
    package mutating func subtract(_ other: Self) {
        available = max(0, available - other.available)
        degraded = max(0, degraded - other.degraded)
        down = max(0, down - other.down)
        maintenance = max(0, maintenance - other.maintenance)
    }

    /// The worst of a day that is over, or of as much of it as is known.
    var state: DayState { down > 0 ? .down : degraded > 0 ? .degraded : available > 0 ? .good : .unknown }
}

/// The last ninety days of each target: a state of two bits a day, and the sums of the hours that are over, which `availability_history` has, too.
package struct DayTable: Sendable {
    package static let days = 90
    private static let bytesOfTarget = (days + 3) / 4

    /// The number of the newest day since 1970.
    package private(set) var today: Int64
    /// Hours since 1970 before this one are in it.
    package var throughHour: Int64 = 0
    /// The first day of which anything was added, also when it has left the window.
    private var firstAdded: Int64?
    private var states: [UInt8] = []
    private var sums: [StateSums] = []

    package init(today: Int64) { self.today = today }

    private mutating func grow(to slot: Int) {
        guard sums.count <= slot else { return }
        sums.append(contentsOf: repeatElement(StateSums(), count: slot + 1 - sums.count))
        states.append(contentsOf: repeatElement(0, count: sums.count * Self.bytesOfTarget - states.count))
    }

    /// Another target has the slot from now on.
    package mutating func clear(slot: Int) {
        guard slot < sums.count else { return }
        sums[slot] = StateSums()
        for byte in 0..<Self.bytesOfTarget { states[slot * Self.bytesOfTarget + byte] = 0 }
    }

    private func place(_ day: Int64, _ slot: Int) -> (byte: Int, shift: UInt8) {
        // A ring: a day keeps its place for as long as it is in the window.
        let index = Int(day.quotientAndRemainderFloored(by: Int64(Self.days)).remainder)
        return (slot * Self.bytesOfTarget + index / 4, UInt8(index % 4 * 2))
    }

    func state(of day: Int64, slot: Int) -> DayState {
        guard slot < sums.count, day > today - Int64(Self.days), day <= today else { return .unknown }
        let (byte, shift) = place(day, slot)
        return DayState(rawValue: states[byte] >> shift & 3) ?? .unknown
    }

    private mutating func set(_ state: DayState, _ day: Int64, _ slot: Int) {
        let (byte, shift) = place(day, slot)
        states[byte] = states[byte] & ~(3 << shift) | state.rawValue << shift
    }

    /// What became known of a day. The day's state only becomes worse.
    package mutating func add(_ added: StateSums, day: Int64, slot: Int) {
        guard day > today - Int64(Self.days), day <= today else { return }
        firstAdded = min(firstAdded ?? day, day)
        grow(to: slot)
        sums[slot].add(added)
        let (before, now) = (state(of: day, slot: slot), added.state)
        if now.rawValue > before.rawValue { set(now, day, slot) }
    }

    // MARK: Another day

    /// What a day has that is about to leave the window. Of a day of which a target has nothing here nothing is taken away.
    package mutating func subtract(_ leaving: StateSums, day: Int64, slot: Int) {
        // A day that was all maintenance has no state.
        guard slot < sums.count, leaving.maintenance > 0 || state(of: day, slot: slot) != .unknown else { return }
        sums[slot].subtract(leaving)
    }

    /// Makes room for the days from tomorrow until `day`, for some slots: nothing is known of these days, nor of those whose places they take.
    package mutating func makeRoom(until day: Int64, slots: Range<Int>) {
        guard day > today else { return }
        for slot in slots.clamped(to: 0..<sums.count) {
            for new in max(today + 1, day - Int64(Self.days) + 1)...day { set(.unknown, new, slot) }
        }
    }

    /// Another day has begun, for which there is room.
    package mutating func begin(day: Int64) { today = max(today, day) }

    package var slotCount: Int { sums.count }

    /// The oldest day of the window of which anything was added; nil when nothing was.
    package var oldest: Int64? { firstAdded.map { max($0, today - Int64(Self.days) + 1) } }

    /// How long the window is that the sums are of, in milliseconds: its days up to the last hour that was added.
    package var window: Int64 {
        let first = (today - Int64(Self.days) + 1) * 24
        return max(0, min(throughHour, (today + 1) * 24) - first) * 3_600_000
    }

    package func sums(slot: Int) -> StateSums { slot < sums.count ? sums[slot] : StateSums() }

    /// The oldest first. Today is at least as bad as the target is now.
    package func states(slot: Int, now status: Status) -> [DayState] {
        var states = (today - Int64(Self.days) + 1...today).map { state(of: $0, slot: slot) }
        let now = DayState(status)
        if now.rawValue > states[states.count - 1].rawValue { states[states.count - 1] = now }
        return states
    }
}
