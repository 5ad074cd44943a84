internal import CReceive

/// When a transfer came how far, in nanoseconds of the monotonic clock.
struct TransferTimes {
    /// 0: it has not begun.
    var beganAt: UInt64 = 0
    var deadline: UInt64 = 0
    /// When it began to wait for the lookup at hand.
    var lookupAt: UInt64 = 0
    /// When libcurl got it.
    var addedAt: UInt64 = 0
    /// On the wire: how long a proxy took to open the way, once the way is open.
    var tunnel: Int64?
    /// On the wire: how long the TLS handshake took, once it is done.
    var handshake: Int64?
    /// When libcurl was about to send the request; 0 before.
    var requestAt: UInt64 = 0
    /// When the answer's first bytes had come, by the kernel.
    var answeredAt: UInt64?
    /// For how long the engine's thread had stood still when the transfer began.
    var standstillBefore: UInt64 = 0
    /// For how long answers of lookups waited for the engine's thread, and all that the first of two tries had to read.
    var selfDelay: UInt64 = 0
    /// What earlier tries took after the lookup, ours and libcurl's; nil in the first.
    var lost: Int64?
    /// Of ours.
    var isSecondTry = false

    var wasAnsweredBeforeAdded: Bool { answeredAt.map { $0 < addedAt } ?? false }
}

/// What is known of the wire.
extension Transfer {
    /// libcurl gets it.
    func markHandingOver(at now: UInt64) {
        times.addedAt = now
        handle?.timeline.pointee.deadline = Int64(times.deadline)
    }

    /// The connection stands, through the proxy where there is one.
    func handshakeBegins() {
        guard let timeline = handle?.timeline else { return }
        rf_timeline_stands(timeline)
        times.tunnel = rf_timeline_lap(timeline)
    }

    /// Over a new connection or a kept one.
    func requestBegins() {
        if times.requestAt > 0 { libcurlTriesAgain() }
        guard let timeline = handle?.timeline else { return }
        rf_timeline_stands(timeline)
        let lap = rf_timeline_lap(timeline)
        if handshake == nil { times.tunnel = lap } else { times.handshake = lap }
        times.requestAt = monotonicNanoseconds()
        rf_timeline_requests(timeline)
    }

    /// When what was read last of the connection had come.
    var lastArrival: UInt64 {
        let arrival = handle?.timeline.pointee.arrived ?? 0
        return arrival > 0 ? UInt64(arrival) : monotonicNanoseconds()
    }

    /// By the timeline.
    var hasConnected: Bool { handle?.timeline.pointee.connected ?? 0 > 0 }

    /// What ends the transfer came after its deadline, whoever noticed it first.
    var hasEndedLate: Bool { (handle?.timeline.pointee.arrived ?? 0) > Int64(times.deadline) }

    func lookupEnded(at time: UInt64, noticed now: UInt64) {
        let spent = max(0, Int64(min(time, times.deadline)) - Int64(times.lookupAt))
        report.dns = (report.dns ?? .zero) + .nanoseconds(spent)
        let seen = max(time, times.lookupAt)
        guard now > seen else { return }
        times.selfDelay += now - seen
        if time <= times.deadline, now > times.deadline, now - seen > Overdue.grace { report.wasHeldUp = true }
    }

    /// Both tries have one beginning and one deadline. What a kept connection cost that was good for nothing went by before there was a
    /// connection.
    var timesOfSecondTry: TransferTimes {
        let now = monotonicNanoseconds()
        var second = TransferTimes(beganAt: times.beganAt, deadline: times.deadline, standstillBefore: times.standstillBefore)
        second.isSecondTry = true
        second.lost = lost(until: now)
        second.selfDelay = selfDelay
        return second
    }

    private func lost(until now: UInt64) -> Int64 {
        (times.lost ?? 0) + (handle.map { phases($0.timeline.pointee, now: now, isCutOff: false).sum } ?? 0)
    }

    /// libcurl repeats a request within one transfer when a kept connection has ended, or when a server of HTTP/2 refuses the stream. The
    /// server had the time until then, so that time stays counted.
    func libcurlTriesAgain() {
        guard let timeline = handle?.timeline else { return }
        times.lost = lost(until: monotonicNanoseconds())
        (times.tunnel, times.handshake, times.requestAt, times.answeredAt) = (nil, nil, 0, nil)
        rf_timeline_restarts(timeline)
        handshake?.restart()
        leaveConnection()
    }

    /// For how long in all something that had come waited for the engine's thread.
    var selfDelay: UInt64 { times.selfDelay + UInt64(max(0, handle?.timeline.pointee.unread ?? 0)) }

    /// - Parameter isCutOff: it has come to no end of its own.
    func phases(_ timeline: rf_timeline, now: UInt64, isCutOff: Bool) -> TransferPhases {
        let end = Int64(min(now, times.deadline))
        return TransferPhases(
            times, timeline, hasOpenedSocket: openedSocket, isProxied: request.proxy != nil, usesTLS: handshake != nil, end: end,
            isCutOff: isCutOff)
    }
}

/// The phases of a transfer that libcurl had: what the wire and the server took, in nanoseconds. This process's own work and waiting are in
/// none of them.
///
/// A phase that was not reached is nil. One that was cut off has the time until then.
struct TransferPhases: Hashable {
    private(set) var connect: Int64?
    private(set) var tls: Int64?
    private(set) var processing: Int64?
    private(set) var transfer: Int64?

    var sum: Int64 { [connect, tls, processing, transfer].reduce(0) { $0 + ($1 ?? 0) } }

    /// - Parameters:
    ///   - hasOpenedSocket: the connection is new; if not, it was kept.
    ///   - end: of the transfer: now, and no later than the deadline.
    ///   - isCutOff: the transfer has come to no end of its own: it has waited for the other side until `end`.
    init(
        _ times: TransferTimes, _ timeline: rf_timeline, hasOpenedSocket: Bool, isProxied: Bool, usesTLS: Bool, end: Int64,
        isCutOff: Bool
    ) {
        let round = Self.round(timeline, end: end, isCutOff: isCutOff)
        // What came after the deadline is in no phase, so the phase before it was cut off.
        let isRequested = times.requestAt > 0 && Int64(times.requestAt) <= end
        if hasOpenedSocket, timeline.connected > 0 {
            let connected = min(timeline.connected, end)
            let connecting = max(0, connected - timeline.opened)
            // Through a proxy the connection stands when the proxy has opened the way.
            let tunnel = min(times.tunnel ?? (isProxied ? round : 0), end - connected)
            connect = connecting + tunnel
            guard timeline.connected <= end, times.tunnel != nil || !isProxied else { return }
            if usesTLS { tls = min(times.handshake ?? (isRequested ? 0 : round), end - connected - tunnel) }
        } else if hasOpenedSocket || !isRequested {
            connect = max(0, end - (timeline.opened > 0 ? timeline.opened : Int64(max(times.addedAt, times.beganAt))))
        } else {
            (connect, tls) = (0, usesTLS ? 0 : nil)
        }
        guard isRequested else { return }
        let sent = timeline.requested > 0 ? timeline.requested : Int64(times.requestAt)
        // What a read brought after the deadline came too late for any phase.
        let last = isCutOff ? end : min(end, timeline.arrived > 0 ? timeline.arrived : end)
        guard let answered = times.answeredAt.map({ min(end, Int64($0)) }) else {
            processing = max(0, last - sent)
            return
        }
        processing = max(0, answered - sent)
        transfer = max(0, last - max(answered, sent))
    }

    /// The rounds since the last lap. One that was cut off has waited until the end.
    private static func round(_ timeline: rf_timeline, end: Int64, isCutOff: Bool) -> Int64 {
        guard timeline.edge > 0, isCutOff || timeline.edge > end else { return timeline.wire }
        return max(0, timeline.wire + end - timeline.edge)
    }

    func write(to report: inout TransferReport) {
        report.connect = connect.map { .nanoseconds($0) }
        report.tls = tls.map { .nanoseconds($0) }
        report.processing = processing.map { .nanoseconds($0) }
        report.transfer = transfer.map { .nanoseconds($0) }
    }
}
