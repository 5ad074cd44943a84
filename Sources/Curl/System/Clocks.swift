internal import CCurl
internal import Glibc

/// Nanoseconds of the monotonic clock: what the loop's own deadlines count in.
func monotonicNanoseconds() -> UInt64 {
    nanoseconds(CLOCK_MONOTONIC)
}

/// The same, and the time for which the machine was suspended.
func boottimeNanoseconds() -> UInt64 {
    nanoseconds(CLOCK_BOOTTIME)
}

/// The monotonic clock at an arrival that the kernel noted by the realtime clock; nil for 0, and where the realtime clock was set meanwhile.
func monotonicNanoseconds(ofArrival arrival: Int64) -> UInt64? {
    guard arrival > 0 else { return nil }
    let age = Int64(clamping: nanoseconds(CLOCK_REALTIME)) - arrival
    let now = monotonicNanoseconds()
    guard (0..<10_000_000_000).contains(age), UInt64(age) < now else { return nil }
    return now - UInt64(age)
}

/// Milliseconds of the wall clock, since 1970.
func wallMilliseconds() -> Int64 {
    Int64(nanoseconds(CLOCK_REALTIME) / 1_000_000)
}

private func nanoseconds(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

extension Duration {
    /// Not negative, and at most a hundred years, so that adding it to a clock can't overflow.
    var boundedNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(min(seconds, 3_153_600_000)) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}

/// Rounded up, so that what waits this long does not wake before its time; at least 0 and what fits libcurl's and epoll's arguments.
func millisecondsRoundedUp(_ nanoseconds: UInt64) -> Int32 {
    Int32(min((nanoseconds + 999_999) / 1_000_000, UInt64(Int32.max)))
}
