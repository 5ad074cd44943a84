// HostileTargets: hostile targets, one value each: what its server does, how it is probed, and what a probe of it must end in.
// What lives here: the hostileCases by family, and the servers on loopback that they live in. Whoever wants them opens servers and probes them: the
// tests of Probing one at a time, all at once, and beside healthy targets; a benchmark can do the same.
// What doesn't: engines, probers and expectations of a test framework; what healthy test servers need (TestSupport).
// Where it goes next: a way of a target to be hostile that nobody thought of is a new hostileCase in its family's file.

import Glibc
package import Health

package enum HostileTargets {
    /// All there are. Their names are unique.
    package static let hostileCases = sockets + headers + lengths + bodies + redirects + handshakes + frames + lookups

    /// Where hostileCases live. 127.0.0.2 is for what has to be denied.
    package static let egress = EgressRule(allow: ["127.0.0.1", "127.0.1.0/24"].compactMap { CIDR($0) })

    /// Under the thread sanitizer everything takes many times as long, and so do the hostileCases' timeouts.
    package static let isSanitized = getenv("RANGEFINDER_SANITIZED_MODULES") != nil

    /// How much longer than its timeout a probe may take.
    package static let margin: Duration = isSanitized ? .seconds(20) : .seconds(2)

    /// What every name of the hostile targets is looked up to.
    package static let names = hostileCases.reduce(into: [:]) { names, hostileCase in
        names.merge(hostileCase.names) { first, _ in first }
    }
}

/// What a resolver says to a name.
package enum NameAnswer: Sendable {
    case unknown
    /// There is such a name, and it has no address.
    case nothing
    case addresses([String])
    /// Nothing within any timeout.
    case never
}
