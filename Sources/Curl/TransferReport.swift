/// What happened in one transfer.
///
/// The phases follow one another, and have what the wire and the servers took, by the kernel's clock: docs/metrics.md says of what each is
/// made. A phase that was not reached is nil; the one that a failure cut off has the time until then.
package struct TransferReport: Sendable {
    package enum TLSVersion: Hashable, Sendable { case tls10, tls11, tls12, tls13 }

    /// When the engine began with it: with the lookup, or the connection where there is nothing to look up.
    package var startedAt: ContinuousClock.Instant
    /// The same by the wall clock, since 1970.
    package var startedAtMilliseconds: Int64
    /// The sum of the phases. After a timeout it is not more than the timeout, however late this process noticed.
    package var duration = Duration.zero

    /// Our lookup, or waiting for one of the same name, until its answer was there; zero for a literal or a cached answer.
    package var dns: Duration?
    /// TCP, and through a proxy until the proxy has opened the way; zero on a reused connection, as is `tls`.
    package var connect: Duration?
    package var tls: Duration?
    /// From the request's first byte to the arrival of the answer's first byte.
    package var processing: Duration?
    /// From there to the arrival of the last bytes.
    package var transfer: Duration?

    /// The one address that was chosen, and connected to if anything was.
    package var address: SocketAddress?
    /// All that the name has in the wanted family, in ascending order, whether allowed or not; at most 64. Without those that this machine has
    /// no route to, while it has one to another.
    package var resolved: [SocketAddress] = []

    package var status: Int?
    /// 1.0, 1.1, 2 or 3.
    package var httpVersion: Double?
    /// The first `Location` header. Where its bytes are no UTF-8, those past ASCII are percent-encoded: what they mean is the server's to
    /// know.
    package var location: String?
    /// The first `Last-Modified` header in seconds since 1970, where it is a time.
    package var lastModifiedSeconds: Int64?
    /// The values of `Set-Cookie` beside a ``location``, byte for byte, in order.
    package var setCookies: [[UInt8]] = []
    /// Those of the final answer when the request keeps them, raw, in order; `Link` as ``location``.
    package var headers: [(name: String, value: String)] = []
    /// The beginning of the final answer's status line and header lines as they came, with their ends, when the request keeps them.
    package var head: [UInt8] = []
    /// As the answer declares it, so on the wire.
    package var contentLength: Int?
    /// Decoded bytes that arrived; of a coding that isn't decoded, none.
    package var bodyLength = 0
    package var body: [UInt8] = []
    /// nil: ``body`` is the body's beginning, decoded.
    package var bodyProblem: BodyProblem?

    /// The answer came over TLS.
    package var usedTLS = false
    package var tlsVersion: TLSVersion?
    /// IANA's name, as in `TLS_AES_128_GCM_SHA256`.
    package var tlsCipher: String?
    /// As the server sent them, leaf first, at most 10; also when their verification failed.
    package var certificates: [CertificateFacts] = []
    /// Those that verification took, from the leaf to the authority that is trusted, at most 10. Of a chain that was refused: none, or all
    /// of them where it was refused for its time alone.
    package var verifiedChain: [CertificateFacts] = []
    /// The certificate for which the chain was refused.
    package var refusedCertificate: CertificateFacts?

    /// The failure is one of the body's framing or coding alone: the status and the headers can be relied on.
    package var failedInBodyAlone = false
    /// For so long the engine's thread stood still while the transfer was under way; zero below 100 ms at a time.
    package var standstill = Duration.zero
    /// For so long in all something that had come for the transfer waited for the engine's thread: bytes in the kernel, a connection that
    /// stood, the answer of a lookup. It is in no phase.
    package var selfDelay = Duration.zero
    /// The transfer says nothing of the server, because this process was too busy for it: something that had come by the deadline lay unread
    /// for too long while the deadline passed, or a timeout ended the transfer of which the server had less than half.
    package var wasHeldUp = false

    /// nil: a complete HTTP answer was received.
    package var failure: TransferFailure?

    var sumOfPhases: Duration { [dns, connect, tls, processing, transfer].reduce(.zero) { $0 + ($1 ?? .zero) } }

    /// Of a transfer that ended before the engine began with it.
    static func unstarted(_ failure: TransferFailure) -> TransferReport {
        var report = TransferReport(startedAt: .now, startedAtMilliseconds: wallMilliseconds())
        report.failure = failure
        return report
    }
}
