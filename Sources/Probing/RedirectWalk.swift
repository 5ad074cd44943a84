import Curl
import Health

/// One probe's way over its redirects, a request at a time. Redirects are ours and not libcurl's, so that each hop is judged by the
/// egress rule and so that nothing configured for one origin reaches another.
struct RedirectWalk {
    /// RFC 9110 section 15.4, those that are followed by themselves.
    static let redirects: Set<Int> = [301, 302, 303, 307, 308]

    private let order: ProbeOrder
    private let home: URLParts
    private var next: URLParts?
    private var method: String
    private var sendsBody: Bool
    private var redirects = 0
    private var hops: [(url: URLParts, status: Int?)]
    private let first: TransferReport
    private(set) var last: TransferReport
    private var phases = Phases()
    /// What the hops took. Time that passed otherwise is ours: a task or a thread of ours that was slow to go on.
    private var elapsed = Duration.zero
    private var stalled = Duration.zero
    /// For so long the engine stood still during the hops.
    private var standstill = Duration.zero
    /// For so long what had come for the hops waited for the engine.
    private var selfDelay = Duration.zero
    /// This process was too busy for one of the hops.
    private var wasHeldUp = false
    private var refusal: Refusal?
    private var isCancelled = false
    /// It was sent to another origin once. From there on nothing that was configured is sent any more, not even back at home: the way there
    /// was a stranger's choice.
    private var hasLeftHome = false
    private var otherAddresses: OtherAddresses?
    private var cookies = CookieJar()
    /// Of the chains that were verified so far, over all hops.
    private var expiring: ExpiringCertificate?
    /// Of all certificates that were presented so far.
    private var presentedExpiry: Timestamp?

    /// Why the walk ended before an answer that can be judged.
    private struct Refusal {
        var reason: Reason
        var sentence: String
    }

    /// - Parameter answer: what came of ``request(_:to:)`` with the same URL.
    init(order: ProbeOrder, url: URLParts, answer: TransferReport) {
        self.order = order
        home = url
        hops = [(url, nil)]
        method = order.policy.method
        sendsBody = order.policy.body != nil
        (first, last) = (answer, answer)
        arrived(answer)
    }

    /// The request that asks for a target's own URL.
    static func request(_ order: ProbeOrder, to url: URLParts) -> TransferRequest {
        let policy = order.policy
        var request = TransferRequest(url: url)
        request.method = policy.method
        request.headers = policy.headers.map { (name: $0.name, value: $0.value.revealed) }
        request.body = policy.body.map { Array($0.revealed.utf8) }
        request.userAgent = policy.userAgent
        request.timeout = policy.effectiveTimeout
        request.family = policy.addressFamily.transferFamily
        request.pin = order.turn
        request.connection = policy.connection == .fresh ? .fresh : .reuse
        request.httpVersion = policy.httpVersion.transferVersion
        request.caFile = policy.caFile
        request.clientCertificate = policy.clientCertificate.map { (chain: $0.chain, key: $0.key.reveal()) }
        request.verifiesCertificates = policy.verifiesCertificates
        request.proxy = policy.proxy.map { (host: $0.host, port: $0.port) }
        request.keepBody = max(BodyVerdict.bytesToKeep(policy), EvidenceReading.bodyBytesToKeep(policy))
        request.keepHead = EvidenceReading.headBytesToKeep(policy)
        request.maxBody = policy.maxBody
        request.dnsCache = policy.dnsCache.lookupReuse
        request.usesSearchDomains = policy.dnsSearch
        let egress = order.egress
        request.allows = { address in IPAddress(bytes: address.bytes).map { egress.denial(of: $0) == nil } ?? false }
        return request
    }

    /// The request of the next hop, or nil when the walk is over.
    mutating func nextRequest() -> TransferRequest? {
        guard let url = next else { return nil }
        next = nil
        let remaining = order.policy.effectiveTimeout - elapsed
        guard remaining > .zero else {
            refusal = Refusal(reason: .timeout, sentence: Sentence.timeout(order.policy, during: "following redirects"))
            return nil
        }
        hops.append((url, nil))
        var request = Self.request(order, to: url)
        request.method = method
        request.timeout = remaining
        if !sendsBody { request.body = nil }
        // What was configured for one origin stays there; only the proxy is told what the proxy is to know.
        hasLeftHome = hasLeftHome || !url.hasOrigin(of: home)
        if hasLeftHome {
            (method, request.method) = (method == "HEAD" ? "HEAD" : "GET", method == "HEAD" ? "HEAD" : "GET")
            request.headers.removeAll { $0.name.lowercased() != "proxy-authorization" }
            (request.body, request.clientCertificate) = (nil, nil)
        }
        addCookies(to: &request)
        return request
    }

    /// A request has one header of that name at most, so what was configured and what was set on the way are put together.
    private func addCookies(to request: inout TransferRequest) {
        let isCookie = { (header: (name: String, value: String)) in header.name.lowercased() == "cookie" }
        let configured = request.headers.filter(isCookie).map(\.value)
        guard let cookie = cookies.header(for: request.url, at: last.endedAt, besides: configured) else { return }
        request.headers.removeAll(where: isCookie)
        request.cookie = cookie
    }

    mutating func arrived(_ report: TransferReport) {
        // A standstill during the last hop lies between its duration and the next hop, and is counted by itself.
        if elapsed > .zero {
            stalled += max(.zero, (last.startedAt + last.duration).duration(to: report.startedAt) - last.standstill)
        }
        standstill += report.standstill
        selfDelay += report.selfDelay
        wasHeldUp = wasHeldUp || report.wasHeldUp
        last = report
        see(report)
        hops[hops.count - 1].status = report.status
        phases.add(report)
        elapsed += report.duration
        guard report.failure == nil, let status = report.status, let location = report.redirectTarget,
            Self.redirects.contains(status), order.policy.followRedirects > 0, let here = hops.last?.url
        else { return }
        guard redirects < order.policy.followRedirects else {
            refusal = Refusal(
                reason: .tooManyRedirects,
                sentence: "more than \(counted(order.policy.followRedirects, "redirect")), the last to \(displayText(location)); "
                    + "raise follow_redirects, or set it to 0 and expect \(status)")
            return
        }
        // Looked at first, because what has another scheme is often no URL that libcurl would read.
        if let scheme = URLParts.scheme(of: location), scheme != "http", scheme != "https" {
            refusal = Refusal(
                reason: .redirectDenied,
                sentence: "HTTP \(status) redirects to the scheme \"\(displayText(scheme))\", which is never followed")
            return
        }
        guard let target = here.resolving(location) else {
            refusal = Refusal(
                reason: .protocolError, sentence: "HTTP \(status) redirects to what is no URL: \(displayText(location))")
            return
        }
        guard target.isHTTP, !target.hasUserInfo else {
            refusal = Refusal(
                reason: .redirectDenied, sentence: "HTTP \(status) redirects to a URL with a user name, which is never followed")
            return
        }
        redirects += 1
        cookies.store(report.setCookies, from: here, at: report.endedAt)
        changeMethod(after: status)
        next = target
    }

    /// A visitor meets the certificates of every hop.
    private mutating func see(_ report: TransferReport) {
        presentedExpiry = [presentedExpiry, report.certificates.firstToExpire?.expiry].compactMap { $0 }.min()
        if hops.count > 1, let before = expiring, before.earlierHop == nil {
            expiring?.earlierHop = hops[hops.count - 2].url.host
        }
        guard let new = report.expiringCertificate else { return }
        if [new.facts, expiring?.facts].compactMap({ $0?.expiry }).min() == new.facts.expiry { expiring = new }
    }

    /// RFC 9110 section 15.4: 303 asks for GET; 301 and 302 after POST are followed by GET, as every client does; 307 and 308 keep it.
    private mutating func changeMethod(after status: Int) {
        let becomesGet = (status == 303 && method != "HEAD") || ((status == 301 || status == 302) && method == "POST")
        if becomesGet { (method, sendsBody) = ("GET", false) }
    }

    /// Where the check may go: the name's other addresses, when the first request failed at its own before it was answered.
    var addressesToTry: [SocketAddress] {
        guard hops.count == 1, order.policy.proxy == nil, first.failedAtItsAddress, let dead = first.address else { return [] }
        let allowed = first.resolved.filter { address in
            IPAddress(bytes: address.bytes).map { order.egress.denial(of: $0) == nil } ?? false
        }
        // In the order in which their turns come.
        let after = allowed.firstIndex(of: dead).map { allowed[($0 + 1)...] + allowed[..<$0] } ?? allowed[...]
        return Array(after.prefix(AlternateAddressCheck.addressesMax))
    }

    /// The address of this probe has failed, whatever an earlier look found of it.
    mutating func learned(_ others: OtherAddresses) {
        otherAddresses = OtherAddresses(tried: others.tried, answering: others.answering.filter { $0 != first.address })
    }

    mutating func wasCancelled() { isCancelled = true }

    /// - Parameter mismatch: what the last answer's body lacks.
    func report(mismatch: BodyMismatch?) -> ProbeReport {
        var verdict = verdict(mismatch)
        let lateness = (order.due.map { max(.zero, $0.duration(to: first.startedAt)) } ?? .zero) + stalled + standstill
        if isSpoiledByStandstill {
            verdict.sentence += "; this process stood still for \(Sentence.exact(standstill)) meanwhile, so it counts for nothing"
        } else if wasHeldUp {
            verdict.sentence += "; this process was too busy for the probe and read too late, so it counts for nothing"
        }
        var result = ProbeResult(
            target: order.target.identity, startedAt: Timestamp(milliseconds: first.startedAtMilliseconds),
            duration: elapsed, lateness: lateness, selfDelay: selfDelay, outcome: verdict.outcome, sentence: verdict.sentence,
            phases: phases, facts: facts)
        result.facts.failedPattern = verdict.outcome == .bad(.bodyMismatch) && mismatch?.isOfPattern == true
        if isCancelled || last.failure?.code == .cancelled || last.failure?.code == .shutDown {
            result.void = .cancelled
        } else if result.void == nil,
            isSpoiledByStandstill || wasHeldUp || order.due != nil && lateness > order.policy.taintAfter
        {
            result.void = .tainted
        }
        return ProbeReport(
            result: result, startedAt: first.startedAt, hops: hops.map { .init(url: $0.url.text, status: $0.status) },
            certificates: last.certificates,
            otherAddresses: otherAddresses ?? order.otherAddresses)
    }

    // MARK: Evidence

    /// What of an answer nobody may quote.
    var redaction: Redaction { evidenceReading.redaction }

    private var evidenceReading: EvidenceReading {
        EvidenceReading(order.policy, urls: hops.map(\.url), cookies: cookies.values)
    }

    /// A failure that counts has some.
    func hasEvidence(of result: ProbeResult) -> Bool {
        result.void == nil && result.outcome.reason.map { !$0.meansUnprobeable } ?? false
    }

    /// Takes a while: a server has a part in how many secrets are looked for, and in how much.
    func evidence(of result: ProbeResult) -> Evidence {
        evidenceReading.evidence(of: last, at: result.startedAt, otherAddresses, phases)
    }

    /// The process was stopped, or the machine suspended, while the probe was under way. For as long as its timeout is never right, however
    /// late a probe may be.
    private var isSpoiledByStandstill: Bool {
        standstill > min(order.policy.taintAfter, max(.seconds(1), order.policy.effectiveTimeout))
    }

    private func verdict(_ mismatch: BodyMismatch?) -> Verdict {
        if let refusal { return Verdict(outcome: .bad(refusal.reason), sentence: refusal.sentence) }
        if let failure = last.failure {
            let verdict = Verdict(
                failure: failure, report: last, order: order, url: hops.last?.url ?? home, isRedirect: hops.count > 1)
            return otherAddresses.map(verdict.weighed) ?? verdict
        }
        return Verdict(answer: last, order: order, duration: elapsed, mismatch: mismatch, expiring: expiring)
    }

    private var facts: ResponseFacts {
        var facts = ResponseFacts()
        facts.httpStatus = last.status
        facts.httpVersion = last.httpVersion
        facts.redirects = redirects
        facts.usedTLS = last.usedTLS
        facts.tlsVersion = last.tlsVersion.map(TLSVersion.init)
        facts.tlsCipher = last.tlsCipher
        facts.certificateExpiry = expiring?.facts.expiry
        facts.presentedExpiry = presentedExpiry
        facts.leaf = last.refusedCertificate == nil ? last.verifiedChain.first.map(LeafCertificate.init) : nil
        facts.lastModified = last.lastModifiedSeconds.map(Timestamp.init(seconds:))
        facts.address = last.address?.text
        facts.contentLength = last.contentLength
        facts.uncompressedBodyLength = last.status == nil || last.bodyProblem != nil ? nil : last.bodyLength
        return facts
    }
}

extension ProbePolicy.DNSCache {
    fileprivate var lookupReuse: LookupReuse {
        switch self {
        case .atMost(let duration): .atMost(duration)
        case .auto: .timeToLive
        }
    }
}

extension ProbePolicy.AddressFamily {
    fileprivate var transferFamily: TransferRequest.Family {
        switch self {
        case .any: .any
        case .v4: .v4
        case .v6: .v6
        }
    }
}

extension TLSVersion {
    fileprivate init(_ version: TransferReport.TLSVersion) {
        self =
            switch version {
            case .tls10: .tls10
            case .tls11: .tls11
            case .tls12: .tls12
            case .tls13: .tls13
            }
    }
}

extension LeafCertificate {
    fileprivate init(_ facts: CertificateFacts) {
        self.init(fingerprint: facts.fingerprint) {
            Words(
                subject: facts.subject, issuer: facts.issuer, hosts: facts.names.filter(\.isHost).map(\.text))
        }
    }
}

extension ProbePolicy.HTTPVersion {
    fileprivate var transferVersion: TransferRequest.HTTPVersion {
        switch self {
        case .auto: .auto
        case .http1: .http1
        case .http2: .http2
        }
    }
}

extension Phases {
    /// Sums over redirects: a part that no hop reached stays nil.
    fileprivate mutating func add(_ report: TransferReport) {
        func sum(_ a: Duration?, _ b: Duration?) -> Duration? { a.map { $0 + (b ?? .zero) } ?? b }
        dns = sum(dns, report.dns)
        connect = sum(connect, report.connect)
        tls = sum(tls, report.tls)
        processing = sum(processing, report.processing)
        transfer = sum(transfer, report.transfer)
    }
}

extension TransferReport {
    /// What its `Location` says; nil also when that says nothing.
    var redirectTarget: String? {
        guard let target = location.map(trimmed), !target.isEmpty else { return nil }
        return target
    }

    fileprivate var endedAt: Timestamp { Timestamp(milliseconds: startedAtMilliseconds) + duration }
}

/// RFC 9110 section 5.5: white space around a field's value is no part of it.
private func trimmed(_ value: String) -> String {
    let isBlank: (Unicode.Scalar) -> Bool = { [" ", "\t", "\r", "\n"].contains($0) }
    var scalars = value.unicodeScalars[...]
    while let first = scalars.first, isBlank(first) { scalars.removeFirst() }
    while let last = scalars.last, isBlank(last) { scalars.removeLast() }
    return String(scalars)
}
