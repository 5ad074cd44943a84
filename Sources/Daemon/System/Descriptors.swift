import Health
import Glibc
import Logging

/// How many descriptors each of our own uses may have, so that a full house of probes fails by nobody's fault.
struct DescriptorShares {
    /// A probe in flight holds one socket.
    var probes: Int
    /// Connections that are kept for reuse.
    var idleConnections = 1024
    /// Requests of second looks.
    var secondLooks = 256
}

/// Raises the soft limit of open descriptors to the hard one, and shares it out.
///
/// What else is open (databases, listeners, scrapes, lookups, epoll) needs a share, too.
func shareOutDescriptors(probes wanted: Int, _ logger: Logger) -> DescriptorShares {
    var shares = DescriptorShares(probes: wanted)
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return shares }
    if limit.rlim_cur < limit.rlim_max {
        var raised = rlimit(rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max)
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
    }
    let all = Int(clamping: limit.rlim_cur)
    shares.idleConnections = max(1, min(shares.idleConnections, all / 8))
    shares.secondLooks = max(8, min(shares.secondLooks, all / 16))
    let room = max(1, all - min(512, all / 4) - shares.idleConnections - shares.secondLooks)
    guard room < wanted else { return shares }
    shares.probes = room
    logger.warning(
        "limits.max_in_flight is \(wanted), but \(limit.rlim_cur) descriptors allow \(counted(room, "probe")) at once; raise LimitNOFILE"
    )
    return shares
}
