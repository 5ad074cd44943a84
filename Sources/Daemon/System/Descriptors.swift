import Glibc
import Logging

/// Raises the soft limit of open descriptors to the hard one, and returns how many of `wanted` probes may be in flight under it.
///
/// A probe holds one socket. What else is open (databases, listeners, scrapes, epoll) needs a share too, or a full house of probes would
/// fail by our own fault.
func probesThatDescriptorsAllow(_ wanted: Int, _ logger: Logger) -> Int {
    let others = 512
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return wanted }
    if limit.rlim_cur < limit.rlim_max {
        var raised = rlimit(rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max)
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
    }
    let room = max(1, Int(clamping: limit.rlim_cur) - others)
    guard room < wanted else { return wanted }
    logger.warning(
        "limits.max_in_flight is \(wanted), but \(limit.rlim_cur) descriptors allow \(room) probes at once; raise LimitNOFILE")
    return room
}
