internal import FoundationEssentials
package import Health
internal import LockOrder

extension Alerter {
    /// Between two looks at what is due passes at least so long: what waits to be durable is looked at so often.
    private static let tick: Duration = .milliseconds(100)

    /// Sends what is due until the task is cancelled, and the heartbeat as long as `isAlive` says so.
    ///
    /// - Parameters:
    ///   - isAlive: whether something is watched and that goes on, by what was done and not by a timer of its own.
    ///   - statuses: how many targets there are of each, for a heartbeat that tells it.
    package func run(
        over transport: @escaping AlertTransport, wall: @escaping @Sendable () -> Timestamp,
        isAlive: @escaping @Sendable () async -> Bool, statuses: @escaping @Sendable () -> [Status: Int]
    ) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.beat(over: transport, wall: wall, isAlive: isAlive, statuses: statuses) }
            while !Task.isCancelled {
                for job in due(at: .now, wall: wall()) {
                    group.addTask { self.done(job, await Self.carryOut(job, over: transport), at: .now, wall: wall()) }
                }
                await sleepUntilDue(clock: ContinuousClock(), now: .now)
            }
            group.cancelAll()
        }
    }

    /// Until something is due, or may be due because something came in; for a tenth of a second at least.
    func sleepUntilDue<C: Clock>(clock: C, now: ContinuousClock.Instant) async where C.Duration == Duration {
        let least = clock.now.advanced(by: Self.tick)
        let due = nextDue(at: now).map { max(least, clock.now.advanced(by: now.duration(to: $0))) }
        await alarm.sleep(until: due, clock: clock)
        if clock.now < least { try? await clock.sleep(until: least, tolerance: nil) }
    }

    /// Sends what is due at one moment, one request after the other: for whoever has a clock of their own.
    package func sendDue(over transport: AlertTransport, at now: ContinuousClock.Instant, wall: Timestamp) async {
        for job in due(at: now, wall: wall) { done(job, await Self.carryOut(job, over: transport), at: now, wall: wall) }
    }

    static func carryOut(_ job: AlertJob, over transport: AlertTransport) async -> AlertAnswer {
        switch job {
        case .alertmanager(let url, let alerts, let endsAt, let link):
            // One part that is refused keeps none of the others.
            var refusal: AlertAnswer?
            for body in AlertmanagerFeed.bodies(alerts, endsAt: endsAt, link: link) {
                let answer = await transport(
                    AlertRequest(
                        url: .plain(url + "/api/v2/alerts"), headers: [("Content-Type", "application/json")], body: body))
                if answer != .taken { refusal = answer }
            }
            return refusal ?? .taken
        case .webhook(_, let message, let webhook):
            let body = Array(message.body.utf8)
            var request = AlertRequest(url: webhook.url, headers: [("Content-Type", "application/json")], body: body)
            request.headers.append(("X-Rangefinder-Message", message.id))
            if let secret = webhook.secret {
                request.headers.append(("X-Rangefinder-Signature", signature(of: body, with: secret)))
            }
            return await transport(request)
        }
    }

    /// - Parameter statuses: how many targets there are of each.
    package func send(
        _ heartbeat: AlertingOptions.Heartbeat, over transport: AlertTransport, wall: Timestamp, statuses: [Status: Int]
    ) async {
        var request = AlertRequest(url: .secret(heartbeat.url), method: "GET")
        if heartbeat.posts {
            let counts = Status.allCases.map { ($0.rawValue, statuses[$0] ?? 0) }
            let (vantage, firing) = state.withLock { ($0.pipeline.options.vantage, $0.pipeline.book.firing) }
            let beat = Beat(
                vantage: vantage, generatedAt: "\(wall)", targets: Dictionary(uniqueKeysWithValues: counts), alertsFiring: firing)
            request.method = "POST"
            request.headers.append(("Content-Type", "application/json"))
            request.body = Array(Text.json(beat, keys: .convertToSnakeCase).utf8)
        }
        noteHeartbeat(await transport(request))
    }

    /// What a heartbeat by `POST` says; docs/alerting.md describes it.
    private struct Beat: Encodable {
        let version = 1
        let kind = "heartbeat"
        let vantage: String
        let generatedAt: String
        /// By status.
        let targets: [String: Int]
        let alertsFiring: Int
    }

    private func beat(
        over transport: AlertTransport, wall: @Sendable () -> Timestamp, isAlive: @Sendable () async -> Bool,
        statuses: @Sendable () -> [Status: Int]
    ) async {
        var last = ContinuousClock.now
        while !Task.isCancelled {
            let next = state.withLock { $0.pipeline.options.heartbeat.map { last.advanced(by: $0.interval) } }
            await heartbeatAlarm.sleep(until: next, clock: ContinuousClock())
            guard !Task.isCancelled, let heartbeat = state.withLock({ $0.pipeline.options.heartbeat }),
                last.duration(to: .now) >= heartbeat.interval
            else {
                continue
            }
            last = .now
            guard await isAlive() else { continue }
            await send(heartbeat, over: transport, wall: wall(), statuses: statuses())
        }
    }
}
