/// What was learned of the answer, as far as there was one. Everything here is about the last hop unless it says otherwise.
package struct ResponseFacts: Hashable, Sendable {
    package var httpStatus: Int?
    /// 1.0, 1.1, 2 or 3.
    package var httpVersion: Double?
    package var redirects = 0
    package var usedTLS = false
    package var tlsVersion: TLSVersion?
    /// IANA's name of what TLS agreed on, as in `TLS_AES_128_GCM_SHA256`.
    package var tlsCipher: String?
    /// The first expiry in the chains that were verified, over all hops: this is what is judged and alerted on. Of a chain that was refused
    /// for its time alone, too.
    package var certificateExpiry: Timestamp?
    /// The first expiry in all that the servers of all hops presented, whether verification needed it or not.
    package var presentedExpiry: Timestamp?
    /// The server's own certificate, once its chain was verified.
    package var leaf: LeafCertificate?
    /// The address that was connected to, without port.
    package var address: String?
    /// `Content-Length`, when the server sent one.
    package var contentLength: Int?
    package var uncompressedBodyLength: Int?
    /// `Last-Modified`, when the server sent one that is a time.
    package var lastModified: Timestamp?
    /// A pattern that the body had to match did not match.
    package var failedPattern = false

    package init() {}
}

/// What one probe of one target ended in.
package struct ProbeResult: Hashable, Sendable {
    package var target: TargetIdentity
    /// Wall clock, for records. Intervals are measured on the monotonic clock.
    package var startedAt: Timestamp
    package var duration: Duration
    /// How long after its due time the probe really started.
    package var lateness: Duration
    /// For so long in all something that had come for the probe waited for this process. It is no part of the duration.
    package var selfDelay: Duration
    package var outcome: Outcome
    /// Set when the result counts for nothing.
    package var void: VoidCause?
    /// One sentence that a person on call can act on. Safe to show: foreign text in it is escaped and cut.
    package var sentence: String
    package var phases: Phases
    package var facts: ResponseFacts

    package init(
        target: TargetIdentity,
        startedAt: Timestamp,
        duration: Duration,
        lateness: Duration = .zero,
        selfDelay: Duration = .zero,
        outcome: Outcome,
        void: VoidCause? = nil,
        sentence: String = "",
        phases: Phases = Phases(),
        facts: ResponseFacts = ResponseFacts()
    ) {
        self.target = target
        self.startedAt = startedAt
        self.duration = duration
        self.lateness = lateness
        self.selfDelay = selfDelay
        self.outcome = outcome
        self.void = void ?? (outcome == .bad(.proberFault) ? .proberFault : nil)
        self.sentence = sentence
        self.phases = phases
        self.facts = facts
    }

    package var endedAt: Timestamp { startedAt + duration }
}
