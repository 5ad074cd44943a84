package import Curl
import Health
import Synchronization

/// What a second look at a name's other addresses found: one quick request each, once an interval, when the address of a probe failed
/// before it answered.
package struct OtherAddresses: Hashable, Sendable {
    package var tried: [SocketAddress]
    /// Those of them that answered as expected.
    package var answering: [SocketAddress]

    package init(tried: [SocketAddress], answering: [SocketAddress]) {
        self.tried = tried
        self.answering = answering
    }
}

/// Takes second looks. Everything here comes after the probe and its timestamps, and none of it is a probe: it has no result of its own.
struct SecondLook: Sendable {
    static let addressesMax = 8
    /// Of all targets together: when everything fails at once, second looks must not become the next flood.
    static let requestsMax = 256

    let transfer: Transfer
    let bodies: BodyVerdict
    private let gate = Gate(places: requestsMax)

    init(transfer: @escaping Transfer, bodies: BodyVerdict) {
        self.transfer = transfer
        self.bodies = bodies
    }

    /// nil when there is no room for it now.
    func look(at addresses: [SocketAddress], of url: URLParts, _ order: ProbeOrder, failedAfter elapsed: Duration) async
        -> OtherAddresses?
    {
        guard gate.enter(addresses.count) else { return nil }
        defer { gate.leave(addresses.count) }
        let limit = Self.timeout(order.policy, failedAfter: elapsed)
        let answering = await withTaskGroup(of: SocketAddress?.self, returning: Set<SocketAddress>.self) { group in
            for address in addresses {
                group.addTask { await answers(address, url, order, within: limit) ? address : nil }
            }
            return await group.reduce(into: []) { found, address in if let address { found.insert(address) } }
        }
        return OtherAddresses(tried: addresses, answering: addresses.filter(answering.contains))
    }

    private func answers(_ address: SocketAddress, _ url: URLParts, _ order: ProbeOrder, within limit: Duration) async -> Bool {
        var request = RedirectWalk.request(order, to: url)
        request.onlyAddress = address
        request.connection = .fresh
        request.timeout = limit
        let report = await transfer(request)
        guard report.failure == nil, let status = report.status else { return false }
        // Where a redirect leads is the same for all addresses; that it came is what was asked.
        if RedirectWalk.redirects.contains(status), order.policy.followRedirects > 0, report.location != nil { return true }
        return Verdict(answer: report, order: order, duration: report.duration, bodies: bodies).outcome.isSuccess
    }

    /// Two seconds at most, and no longer than the next re-check can wait: the detection bound has a second a probe to spare and no more.
    static func timeout(_ policy: ProbePolicy, failedAfter elapsed: Duration) -> Duration {
        min(.seconds(2), max(.seconds(1), policy.effectiveFastInterval - elapsed), policy.effectiveTimeout)
    }
}

/// Counts places, and lets nobody wait.
private final class Gate: Sendable {
    private let places: Mutex<Int>

    init(places: Int) { self.places = Mutex(places) }

    func enter(_ count: Int) -> Bool {
        places.withLock { places in
            guard places >= count else { return false }
            places -= count
            return true
        }
    }

    func leave(_ count: Int) { places.withLock { $0 += count } }
}

extension TransferReport {
    /// It failed at its address and before a response, in a way that may be that address's alone.
    var failedAtItsAddress: Bool {
        guard status == nil, let failure else { return false }
        switch failure.code {
        case .connectRefused, .connectTimedOut, .networkUnreachable, .connectReset, .connectionClosed, .tlsFailed, .tlsTimedOut,
            .certificateExpired, .certificateNotYetValid, .certificateUntrusted, .certificateNameMismatch, .timedOut,
            .protocolError:
            return true
        case .urlMalformed, .unsupportedScheme, .lookupFailed, .lookupTimedOut, .noAddress, .addressDenied, .proxyFailed,
            .bodyTooLarge, .caFileUnreadable, .clientCertificateUnusable, .localFault, .cancelled, .shutDown:
            return false
        }
    }
}
