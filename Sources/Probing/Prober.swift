// Probing: from a target and its policy to a request, from the transfer's report to a result.
// What lives here: the test URL, redirects hop by hop, what is expected of an answer and its body, the verdict on a certificate, the
// check of a name's other addresses, the egress rule's place, and the sentence that says it all to a person.
// What doesn't: sockets (Curl), when to probe (Scheduling), what a result means for the status (Health's judge).
// Results go to Daemon, which shows them to the judge.

package import Curl
package import Health

/// Makes one transfer. The engine's `transfer(_:)`, or a test's.
package typealias Transfer = @Sendable (TransferRequest) async -> TransferReport

/// One probe that is to be made.
package struct ProbeOrder: Sendable {
    package var target: Target
    /// The URL that ``testURL(of:join:)`` makes of the target, where it is known; nil: it is made for this probe.
    package var url: URLParts?
    package var policy: ProbePolicy
    package var egress: EgressRule
    /// When it should have started; nil for one that a person asked for.
    package var due: ContinuousClock.Instant?
    /// Goes up by one with each probe of a target: each goes to the next of the name's addresses.
    package var turn: UInt64
    /// What the check of this interval found already: there is one an interval.
    package var otherAddresses: OtherAddresses?

    package init(
        target: Target, url: URLParts? = nil, policy: ProbePolicy, egress: EgressRule, due: ContinuousClock.Instant? = nil,
        turn: UInt64 = 0,
        otherAddresses: OtherAddresses? = nil
    ) {
        self.target = target
        self.url = url
        self.policy = policy
        self.egress = egress
        self.due = due
        self.turn = turn
        self.otherAddresses = otherAddresses
    }
}

/// What became of one probe.
package struct ProbeReport: Sendable {
    /// One request of it: the first, or one that a redirect led to.
    package struct Hop: Hashable, Sendable {
        package var url: String
        /// nil when there was no complete answer.
        package var status: Int?

        package init(url: String, status: Int?) {
            self.url = url
            self.status = status
        }
    }

    package var result: ProbeResult
    /// By the engine's clock; nil when nothing was sent because the target has no URL to probe.
    package var startedAt: ContinuousClock.Instant?
    package var hops: [Hop]
    package var certificates: [CertificateFacts]
    /// What is known of the name's other addresses from a check of this probe or of one before it.
    package var otherAddresses: OtherAddresses?
    /// Of a failure that counts.
    package var evidence: Evidence?

    package init(
        result: ProbeResult, startedAt: ContinuousClock.Instant?, hops: [Hop] = [], certificates: [CertificateFacts] = [],
        otherAddresses: OtherAddresses? = nil, evidence: Evidence? = nil
    ) {
        self.result = result
        self.startedAt = startedAt
        self.hops = hops
        self.certificates = certificates
        self.otherAddresses = otherAddresses
        self.evidence = evidence
    }
}

package struct Prober: Sendable {
    private let transfer: Transfer
    private let wallClock: @Sendable () -> Timestamp
    private let bodies: BodyVerdict
    private let alternateAddresses: AlternateAddressCheck

    /// - Parameter alternateChecksMax: requests of these checks at a time, of all targets together: when everything fails at once, they must
    ///   not become the next flood.
    package init(
        transfer: @escaping Transfer, wallClock: @escaping @Sendable () -> Timestamp, alternateChecksMax: Int = 256
    ) {
        self.transfer = transfer
        self.wallClock = wallClock
        bodies = BodyVerdict()
        alternateAddresses = AlternateAddressCheck(transfer: transfer, bodies: bodies, requestsMax: alternateChecksMax)
    }

    /// Makes one probe. Never throws: whatever happens is a result.
    package func probe(_ order: ProbeOrder) async -> ProbeReport {
        if let fault = order.policy.fault { return faulty(order, fault) }
        let url: URLParts
        do throws(URLProblem) {
            if let known = order.url { url = known } else { url = try testURL(of: order.target, join: order.policy.pathJoin) }
        } catch {
            return unprobeable(order, error)
        }
        return await complete(await transfer(RedirectWalk.request(order, to: url)), order, url)
    }

    /// What comes after the first answer, in a frame of its own: many probes wait for theirs at a time, and each would keep room for this.
    @inline(never)
    private func complete(_ answer: TransferReport, _ order: ProbeOrder, _ url: URLParts) async -> ProbeReport {
        var walk = RedirectWalk(order: order, url: url, answer: answer)
        while let request = walk.nextRequest() {
            walk.arrived(await transfer(request))
        }
        let others = walk.addressesToTry
        if !others.isEmpty {
            if let known = order.otherAddresses {
                walk.learned(known)
            } else if let found = await alternateAddresses.check(others, of: url, order, failedAfter: answer.duration) {
                walk.learned(found)
            } else if Task.isCancelled {
                walk.wasCancelled()
            }
        }
        let walked = walk
        let mismatch = await bodies.mismatch(walked.last, policy: order.policy) { walked.redaction }
        var report = walked.report(mismatch: mismatch)
        if walked.hasEvidence(of: report.result) {
            // Not on the engine's thread: every other probe's sockets would wait for it.
            report.evidence = await withTaskExecutorPreference(globalConcurrentExecutor) { [result = report.result] in
                walked.evidence(of: result)
            }
        }
        return report
    }

    private func faulty(_ order: ProbeOrder, _ fault: String) -> ProbeReport {
        let result = ProbeResult(
            target: order.target.identity, startedAt: wallClock(), duration: .zero, outcome: .bad(.proberFault),
            sentence: fault)
        return ProbeReport(result: result, startedAt: nil)
    }

    private func unprobeable(_ order: ProbeOrder, _ problem: URLProblem) -> ProbeReport {
        let result = ProbeResult(
            target: order.target.identity, startedAt: wallClock(), duration: .zero, outcome: .bad(.urlInvalid),
            sentence: problem.sentence(for: order.target))
        return ProbeReport(result: result, startedAt: nil)
    }
}
