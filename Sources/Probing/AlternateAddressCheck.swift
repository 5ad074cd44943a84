package import Curl
import Health
import Synchronization

/// What the check of a name's other addresses found: one quick connection each, once an interval, when the address of a probe failed
/// before it answered.
package struct OtherAddresses: Hashable, Sendable {
    package var tried: [SocketAddress]
    /// Those of them that answered as expected; of a method that isn't safe, those that answered at all.
    package var answering: [SocketAddress]

    package init(tried: [SocketAddress], answering: [SocketAddress]) {
        self.tried = tried
        self.answering = answering
    }
}

/// Checks other addresses. Everything here comes after the probe and its timestamps, and none of it is a probe: it has no result of its own.
struct AlternateAddressCheck: Sendable {
    static let addressesMax = 8
    /// RFC 9110 section 9.2.1: what changes nothing may be asked for at each address. Anything else is not ours to do once more.
    private static let safeMethods: Set<String> = ["GET", "HEAD", "OPTIONS", "TRACE"]

    let transfer: Transfer
    let bodies: BodyVerdict
    private let gate: Gate

    init(transfer: @escaping Transfer, bodies: BodyVerdict, requestsMax: Int) {
        self.transfer = transfer
        self.bodies = bodies
        gate = Gate(permits: requestsMax)
    }

    /// nil when there is no room for it now, or it was cut short: what was not seen through counts for nothing.
    func check(_ addresses: [SocketAddress], of url: URLParts, _ order: ProbeOrder, failedAfter elapsed: Duration) async
        -> OtherAddresses?
    {
        guard gate.enter(addresses.count) else { return nil }
        defer { gate.leave(addresses.count) }
        let limit = Self.timeout(order.policy, failedAfter: elapsed)
        let found = await withTaskGroup(of: (SocketAddress, Bool?).self, returning: [SocketAddress: Bool].self) { group in
            for address in addresses {
                group.addTask { (address, await answers(address, url, order, within: limit)) }
            }
            return await group.reduce(into: [:]) { found, answer in found[answer.0] = answer.1 }
        }
        guard !Task.isCancelled, !found.isEmpty else { return nil }
        return OtherAddresses(tried: addresses.filter { found[$0] != nil }, answering: addresses.filter { found[$0] == true })
    }

    /// nil when our own trouble kept us from asking.
    private func answers(_ address: SocketAddress, _ url: URLParts, _ order: ProbeOrder, within limit: Duration) async -> Bool? {
        var request = RedirectWalk.request(order, to: url)
        // What it says is not kept.
        (request.keepHead, request.keepBody) = (0, BodyVerdict.bytesToKeep(order.policy))
        request.onlyAddress = address
        request.connection = .fresh
        request.timeout = limit
        let isSafe = Self.safeMethods.contains(request.method)
        if !isSafe { (request.method, request.body) = ("HEAD", nil) }
        let report = await transfer(request)
        // The thread stood still or was busy, and the address had less time than the others.
        if report.failure != nil, report.standstill * 2 > limit || report.wasHeldUp { return nil }
        if let failure = report.failure { return Reason(failure.code, isRedirect: false) == .proberFault ? nil : false }
        guard let status = report.status else { return false }
        // What a HEAD is answered is not what was expected of the method. That a server answers is a sign of life, unless it says that it
        // fails; not knowing HEAD (501) is no failure. A connection alone would be none: a server that hangs still accepts.
        guard isSafe else { return status < 500 || status == 501 || order.policy.expects(status) }
        // Where a redirect leads is the same for all addresses; that it came is what was asked.
        if RedirectWalk.redirects.contains(status), order.policy.followRedirects > 0, report.redirectTarget != nil { return true }
        let mismatch = await bodies.mismatch(report, policy: order.policy)
        return Verdict(answer: report, order: order, duration: report.duration, mismatch: mismatch).outcome.isSuccess
    }

    /// Two seconds at most, and no longer than the next re-check can wait: the detection bound has a second a probe to spare and no more.
    static func timeout(_ policy: ProbePolicy, failedAfter elapsed: Duration) -> Duration {
        min(.seconds(2), max(.seconds(1), policy.effectiveFastInterval - elapsed), policy.effectiveTimeout)
    }
}

/// Counts permits, and lets nobody wait.
private final class Gate: Sendable {
    private let permits: Mutex<Int>

    init(permits: Int) { self.permits = Mutex(permits) }

    func enter(_ count: Int) -> Bool {
        permits.withLock { permits in
            guard permits >= count else { return false }
            permits -= count
            return true
        }
    }

    func leave(_ count: Int) { permits.withLock { $0 += count } }
}

extension TransferReport {
    /// It failed at its address and before a response, in a way that may be that address's alone.
    var failedAtItsAddress: Bool {
        guard status == nil, !wasHeldUp, let failure else { return false }
        switch failure.code {
        case .connectRefused, .connectTimedOut, .networkUnreachable, .connectReset, .connectionClosed, .tlsFailed, .tlsTimedOut,
            .certificateExpired, .certificateNotYetValid, .certificateUntrusted, .certificateNameMismatch, .timedOut,
            .protocolError:
            return true
        case .urlMalformed, .unsupportedScheme, .lookupFailed, .lookupNeedsSearch, .lookupTimedOut, .noAddress, .addressDenied,
            .proxyFailed,
            .bodyTooLarge, .caFileUnreadable, .clientCertificateUnusable, .localFault, .cancelled, .shutDown:
            return false
        }
    }
}
