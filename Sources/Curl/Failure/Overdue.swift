internal import CReceive

/// What becomes of a transfer that libcurl still has when its deadline has passed.
enum Overdue: Hashable {
    /// Something had come by the deadline, and has not been read yet.
    case awaitsReading
    case timedOut
    /// Something had come by the deadline, and this process was too busy to read it: nobody knows what the server would have said.
    case heldUp

    /// For so long may something lie unread while the deadline passes. A thread that is busy needs less to come round.
    static let grace = UInt64(RF_GRACE_NANOSECONDS)

    /// A server that sends on and on is read again and again, so what waits of it has waited since the last reading: it can't bring about
    /// anything but a timeout.
    ///
    /// - Parameters:
    ///   - waitsSince: since when something waits for this process; nil where nothing does.
    ///   - wasReadLate: something that had come by the deadline was read too late.
    init(waitsSince: UInt64?, wasReadLate: Bool, deadline: UInt64, now: UInt64) {
        if wasReadLate {
            self = .heldUp
        } else if let waitsSince, waitsSince <= deadline {
            self = now > waitsSince + Self.grace ? .heldUp : .awaitsReading
        } else {
            self = .timedOut
        }
    }

    /// Whether what had come waited for this process for more than half of a timeout that passed, and for more than ``grace``.
    ///
    /// Time that no phase has is not enough: a server can have libcurl do what no phase counts. Nor is it enough that something lay unread: a
    /// server can send what libcurl does not read yet, and then it lay there while the server had the time.
    ///
    /// - Parameters:
    ///   - spent: the phases' sum.
    ///   - selfDelay: for how long in all something that had come was waiting, as it was measured.
    static func isOurs(timeout nanoseconds: UInt64, spent: Duration, selfDelay: Duration) -> Bool {
        let timeout = Duration.nanoseconds(nanoseconds)
        let ours = min(timeout - spent, selfDelay)
        return ours > timeout / 2 && ours > .nanoseconds(grace)
    }

    /// How far this process has come with what it has got.
    struct Progress: Hashable {
        private let read: Int64
        private let connected: Int64

        init(_ timeline: rf_timeline) { (read, connected) = (timeline.read, timeline.connected) }
    }

    init(_ transfer: Transfer, now: UInt64) {
        let timeline = transfer.handle?.timeline
        let since = timeline.map { rf_timeline_waits_since($0) } ?? 0
        self.init(
            waitsSince: since > 0 ? UInt64(since) : nil, wasReadLate: timeline?.pointee.is_late ?? false,
            deadline: transfer.times.deadline, now: now)
    }
}
