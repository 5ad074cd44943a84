internal import Digests
package import Health
internal import Synchronization

/// A token, and what who holds it may do.
package struct AccessToken: Hashable, Sendable {
    /// For the audit.
    package var name: String
    /// Wanted bare in `Authorization`.
    package var secret: Secret
    /// nil: every client's targets.
    package var clientID: String?
    package var mayWrite: Bool

    package init(name: String, secret: Secret, clientID: String? = nil, mayWrite: Bool = true) {
        (self.name, self.secret, self.clientID, self.mayWrite) = (name, secret, clientID, mayWrite)
    }
}

/// Who asks, and how often each may.
final class Access: Sendable {
    struct Answer {
        enum Who { case holder(AccessToken), stranger }

        var who: Who
        /// Set when that one, or all strangers together, asked too often.
        var retryAfter: Duration?

        var isByHolder: Bool { if case .holder = who { true } else { false } }
    }

    /// All strangers together.
    private static let strangersRate = 100

    private let holders: [(digest: Digest, token: AccessToken)]
    private let now: @Sendable () -> Duration
    /// One for each token, and the last for all strangers.
    private let buckets: Mutex<[TokenBucket]>

    /// - Parameters:
    ///   - rate: requests a second of each token.
    ///   - now: a clock that only goes on.
    init(_ tokens: [AccessToken], rate: Int, now: @escaping @Sendable () -> Duration) {
        holders = tokens.map { (Digest(of: $0.secret.reveal()), $0) }
        self.now = now
        buckets = Mutex(tokens.map { _ in TokenBucket(rate: rate) } + [TokenBucket(rate: Self.strangersRate)])
    }

    /// Digests are of one length and each is compared in constant time, whichever matches: how long the answer takes tells nothing of a token.
    func ask(_ authorization: String?) -> Answer {
        var found: Int?
        if let authorization {
            let digest = Digest(of: authorization)
            for (number, holder) in holders.enumerated() where holder.digest == digest { found = number }
        }
        let time = now()
        let wait = buckets.withLock { $0[found ?? holders.count].take(at: time) }
        return Answer(who: found.map { .holder(holders[$0].token) } ?? .stranger, retryAfter: wait)
    }
}

/// The token bucket of traffic shaping: holds two seconds' worth, for who comes in bursts.
struct TokenBucket: Sendable {
    private let rate: Double
    private var level: Double
    private var filledAt: Duration?

    /// - Parameter rate: a second.
    init(rate: Int) { (self.rate, level) = (Double(rate), 2 * Double(rate)) }

    /// Takes one; nil when there was one, else how long until there is.
    mutating func take(at now: Duration) -> Duration? {
        let passed = filledAt.map { (now - $0) / .seconds(1) } ?? 0
        level = min(2 * rate, level + passed * rate)
        filledAt = now
        guard level >= 1 else { return .seconds((1 - level) / rate) }
        level -= 1
        return nil
    }
}
