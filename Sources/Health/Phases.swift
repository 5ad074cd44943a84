/// A part of a probe's time. The cases are in the order in which a probe goes through them.
package enum Phase: String, Hashable, Sendable, CaseIterable {
    case dns, connect, tls
    /// From the request's last byte to the answer's first.
    case processing
    case transfer

    /// The phase's name where a person reads it, and on `/metrics`: blackbox_exporter calls the first one `resolve`.
    package var shownName: String { self == .dns ? "resolve" : rawValue }
}

/// How long each part of a probe took, summed over redirects. A part that was not reached is nil.
package struct Phases: Hashable, Sendable {
    package var dns: Duration?
    package var connect: Duration?
    package var tls: Duration?
    package var processing: Duration?
    package var transfer: Duration?

    package init(
        dns: Duration? = nil, connect: Duration? = nil, tls: Duration? = nil, processing: Duration? = nil,
        transfer: Duration? = nil
    ) {
        self.dns = dns
        self.connect = connect
        self.tls = tls
        self.processing = processing
        self.transfer = transfer
    }

    package subscript(phase: Phase) -> Duration? {
        switch phase {
        case .dns: dns
        case .connect: connect
        case .tls: tls
        case .processing: processing
        case .transfer: transfer
        }
    }
}
