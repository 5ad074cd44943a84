import Health
import Glibc
import Logging
package import Settings
import TargetsServer

/// How many descriptors each of our own uses may have, so that together they fit: as many probes as the limit allows must neither fail by nobody's fault
/// nor keep the listener from answering.
package struct DescriptorShares: Hashable, Sendable {
    /// A probe in flight holds one socket.
    package var probes: Int
    /// Connections that are kept for reuse.
    var idleConnections = 1024
    /// Requests of checks of other addresses.
    var alternateChecks = 256
    /// Names that are looked up at once.
    var lookups: Int
    /// Connections to the listener of pages and metrics.
    var connections = 512
    /// Connections to the embedded Targets API, those that are ended for others included.
    package var apiConnections: Int

    /// A resolver has a socket for each server that it asks, and a file.
    private static let perLookup = 2
    /// Databases, listeners, logs and the engines: 33 are open on two processors, with a scrape and a sync under way.
    private static let fixed = 28
    /// The epoll set and the event of each engine for probes past the first.
    private static let perLane = 2
    /// What two resolvers have for DNS: a socket for each server and for each of the seconds in which it may still answer.
    private static let ofResolvers = 16
    /// NIO has a thread for each processor, and each of those an epoll set, an event and a timer.
    private static let perProcessor = 3
    /// The database and the listener of the embedded Targets API.
    private static let ofTargetsServer = 12
    /// Free at all times: libdispatch looks at its threads once a second, and ends the process when it can't open a file for that.
    private static let spare = 4
    private static let apiConnectionsMax =
        TargetsServer.connectionsMax + TargetsServer.endingMax(of: TargetsServer.connectionsMax)

    /// - Parameters:
    ///   - all: what the process may have.
    ///   - probes: how many are wanted.
    init(of all: Int, probes wanted: Int, lookups: Int, processors: Int, lanes: Int = 1, withTargetsServer: Bool) {
        let own =
            Self.fixed + Self.spare + Self.ofResolvers + Self.perProcessor * processors + Self.perLane * (lanes - 1)
            + (withTargetsServer ? Self.ofTargetsServer : 0)
        let shared = max(8, all - own)
        apiConnections = withTargetsServer ? max(3, min(Self.apiConnectionsMax, shared / 6)) : 0
        connections = max(2, min(connections, shared / 5))
        self.lookups = max(1, min(lookups, shared / 8 / Self.perLookup))
        alternateChecks = max(1, min(alternateChecks, shared / 16))
        idleConnections = max(1, min(idleConnections, shared / 8))
        // Syncs, alerts, canaries.
        let requests = max(2, min(256, shared / 8))
        let taken = apiConnections + connections + self.lookups * Self.perLookup + alternateChecks + idleConnections + requests
        probes = max(1, min(wanted, shared - taken))
    }
}

/// The soft limit of open descriptors, raised to the hard one; nil when it isn't known.
package func raiseDescriptorLimit() -> Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
    if limit.rlim_cur < limit.rlim_max {
        var raised = rlimit(rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max)
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
    }
    return Int(clamping: limit.rlim_cur)
}

extension DescriptorShares {
    /// How many connections a Targets API on its own may have under a limit of open files.
    package static func apiConnections(alone all: Int) -> Int {
        let own = fixed + spare + ofTargetsServer + perProcessor * max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        return max(3, min(apiConnectionsMax, all - own))
    }

    /// What a daemon on this machine would have under these settings.
    package init(of all: Int, _ settings: Settings) {
        self.init(
            of: all, probes: settings.limits.maxInFlight, lookups: settings.limits.maxLookups,
            processors: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), lanes: laneCount(settings.limits.threads),
            withTargetsServer: settings.targetsServer != nil)
    }
}

/// Raises the limit of open descriptors as far as it goes, and shares it out.
func shareOutDescriptors(_ settings: Settings, _ logger: Logger) -> DescriptorShares {
    let (limit, probes) = (raiseDescriptorLimit(), settings.limits.maxInFlight)
    let shares = DescriptorShares(of: limit ?? .max >> 1, settings)
    if let limit, shares.probes < probes {
        var allowed = "\(counted(shares.probes, "probe")) and \(counted(shares.lookups, "lookup")) at once"
        if settings.targetsServer != nil { allowed += ", and \(counted(shares.apiConnections, "connection")) to the Targets API" }
        logger.warning(
            "limits.max_in_flight is \(probes), but the limit of \(limit) open files allows \(allowed); raise it (ulimit -n, LimitNOFILE)"
        )
    }
    return shares
}
