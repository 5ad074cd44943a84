package import Health
internal import LockOrder

/// Where alerts are kept, because they may be sent only when they are durable.
package struct AlertMemory: Sendable {
    /// Takes documents to be kept or forgotten; returns the ticket at which they are durable. The alerter holds no lock while it calls this.
    package var persist: @Sendable ([StoredDocument]) -> Int
    /// The last ticket that is durable; nil while nothing can be written, and then alerts go out of memory.
    package var durable: @Sendable () -> Int?

    package init(persist: @escaping @Sendable ([StoredDocument]) -> Int, durable: @escaping @Sendable () -> Int?) {
        (self.persist, self.durable) = (persist, durable)
    }
}

/// What happened, for the log and the metrics.
package enum AlertingEvent: Hashable, Sendable {
    /// Said of each channel when its trouble begins, and not again before it has ended.
    case channelFails(String, String)
    case channelWorksAgain(String)
    case sentFromMemory
    case dropped(Int)
    /// A message was refused for good; what is behind it goes on.
    case setAside(SetAside.Message)
    /// Somebody has taken the first message about an outage, which began at `startedAt`.
    case told(TargetIdentity, startedAt: Timestamp, at: Timestamp)
}

/// All alerts, and what is still to be sent of them: the ``AlertPipeline`` behind one lock.
///
/// The lock is held for a change of the pipeline and no longer. Documents are written, events are told and requests are made after it.
package final class Alerter: Sendable {
    struct State: Sendable {
        var pipeline: AlertPipeline
        var writes = WriteQueue()
    }

    let state: OrderedMutex<State>
    /// Rings when something may be due earlier than the loop that sends knows.
    let alarm = Alarm()
    /// Rings when the settings of the heartbeat may have changed.
    let heartbeatAlarm = Alarm()
    private let memory: AlertMemory
    private let inMaintenance: @Sendable () -> Set<TargetIdentity>
    private let onEvent: @Sendable (AlertingEvent) -> Void

    /// - Parameter inMaintenance: the targets that are in a maintenance window now. Asked for up to ten times a second.
    package init(
        _ options: AlertingOptions, memory: AlertMemory, inMaintenance: @escaping @Sendable () -> Set<TargetIdentity>,
        onEvent: @escaping @Sendable (AlertingEvent) -> Void
    ) {
        (self.memory, self.inMaintenance, self.onEvent) = (memory, inMaintenance, onEvent)
        state = OrderedMutex(State(pipeline: AlertPipeline(options)))
    }

    // MARK: Changes, and what follows from them

    /// Changes the pipeline under the lock, and carries out what follows from that after it.
    ///
    /// - Parameter writer: takes the documents of the change, also when there are none; nil for ``AlertMemory/persist``.
    private func change<Value: Sendable>(
        writer: WriteQueue.Writer? = nil, _ body: (inout AlertPipeline, inout WriteQueue) -> Value
    ) -> Value {
        let (value, isNews) = state.withLock { state in
            state.pipeline.nextWrite = state.writes.nextNumber
            let value = body(&state.pipeline, &state.writes)
            let effects = state.pipeline.takeEffects()
            if let writer { state.writes.add(effects, writer) } else if !effects.isEmpty { state.writes.add(effects, keep) }
            return (value, !effects.isEmpty || state.pipeline.isUnsettled)
        }
        if isNews { alarm.ring() }
        handOver()
        return value
    }

    private func change<Value: Sendable>(_ body: (inout AlertPipeline) -> Value) -> Value {
        change { pipeline, _ in body(&pipeline) }
    }

    private var keep: WriteQueue.Writer {
        { [memory] documents in documents.isEmpty ? nil : memory.persist(documents) }
    }

    /// Tells the events and hands over the documents of all changes, unless another thread is at it.
    private func handOver() {
        while let write = state.withLock({ $0.writes.next() }) {
            for event in write.effects.events { onEvent(event) }
            let ticket = write.writer(write.effects.documents)
            state.withLock { $0.writes.done(write, ticket: ticket) }
        }
    }

    // MARK: What comes in

    /// What the next result of a target may mean for the alerts though nothing of its judge changes.
    package struct Interest: Sendable {
        /// ``Alerter/apply(_:at:persist:)`` wants the result.
        package let wantsResult: Bool
        /// Something is being written: what is to be written behind it goes through ``Alerter/inOrder(_:)``.
        package let isWriting: Bool
        /// An alert of it has what the target said.
        package let tellsEvidence: Bool
    }

    package func interest(in target: TargetIdentity, isDown: Bool) -> Interest {
        state.withLock { state in
            Interest(
                wantsResult: state.pipeline.book.awaits(target, isDown: isDown), isWriting: !state.writes.isIdle,
                tellsEvidence: state.pipeline.tellsEvidence)
        }
    }

    /// - Parameter persist: writes the documents in one transaction with the result itself; returns their ticket.
    /// - Returns: whether a doubt about the vantage holds the target's alert.
    package func apply(
        _ report: TargetReport, at now: ContinuousClock.Instant, persist: @escaping @Sendable ([StoredDocument]) -> Int
    ) -> Bool {
        change(writer: persist) { pipeline, _ in pipeline.apply(report, at: now) }
    }

    /// Writes something after all that was to be written before.
    package func inOrder(_ write: @escaping @Sendable () -> Void) {
        change(writer: { _ in
            write()
            return nil
        }) { _, _ in }
    }

    /// A target is watched no longer.
    ///
    /// - Parameter persist: writes the documents in one transaction with the removal; returns their ticket.
    package func remove(
        _ target: TargetIdentity, at moment: Timestamp, persist: @escaping @Sendable ([StoredDocument]) -> Int
    ) {
        change(writer: persist) { pipeline, _ in pipeline.note(pipeline.book.remove(target, at: moment)) }
    }

    /// A target is probed at another URL from now on.
    package func move(_ target: TargetIdentity, at moment: Timestamp) {
        change { $0.note($0.book.move(target, at: moment)) }
    }

    /// What the vantage is worth from now on. An older revision than the one that is known changes nothing.
    package func trust(_ standing: VantageJudge.Standing) { state.withLock { $0.pipeline.trust(standing) } }

    /// Begins or ends an alert that isn't about a target.
    ///
    /// - Parameter isFiring: nil as long as it isn't known: one of an earlier life goes on.
    package func set(
        _ name: AlertName, _ subject: Alert.Subject = .daemon, isFiring: Bool?, at moment: Timestamp,
        summary: @autoclosure () -> String = "", description: @autoclosure () -> String = ""
    ) {
        let (summary, description) = (summary(), description())
        change {
            $0.note(
                $0.book.set(name, subject, isFiring: isFiring, at: moment, summary: summary, description: description))
        }
    }

    /// The alerts about lists of clients that are configured no longer end.
    package func keepClients(_ clients: Set<String>, at moment: Timestamp) {
        change { $0.note($0.book.keepClients(clients, at: moment)) }
    }

    /// Targets whose status may be a matter of alerts by new settings, though nothing of them changed.
    package func expect(_ targets: [TargetIdentity]) { state.withLock { $0.pipeline.book.expect(targets) } }

    /// Takes new settings. Alerts that fire go on.
    package func replace(_ options: AlertingOptions, at now: ContinuousClock.Instant, wall moment: Timestamp) {
        change { $0.replace(options, at: now, wall: moment) }
        alarm.ring()
        heartbeatAlarm.ring()
    }

    // MARK: An earlier life

    /// What an earlier life kept, and the judges that were kept with it.
    ///
    /// - Parameter patience: how long the first look at a target is waited for, before what fires is said again.
    package func restore(
        _ documents: [StoredDocument.ID: String], judges: [TargetIdentity: Judge], at now: ContinuousClock.Instant,
        wall: Timestamp, patience: (TargetIdentity) -> Duration = { _ in .zero }
    ) {
        // Asked for before the lock is taken, and only where an alert may fire.
        let mayFire = documents.keys.contains { $0.kind == AlertPipeline.alertKind }
        let known = mayFire ? Dictionary(uniqueKeysWithValues: judges.keys.map { ($0, patience($0)) }) : [:]
        change { $0.restore(documents, judges: judges, at: now, wall: wall, patience: { known[$0] ?? .zero }) }
        alarm.ring()
    }

    /// Everything once more, for a database that has begun anew.
    package func persistAgain(at now: ContinuousClock.Instant, wall: Timestamp) {
        change { $0.persistAgain(at: now, wall: wall) }
    }

    // MARK: What goes out

    /// Everything that is due now. To be called again at ``nextDue(at:)``, and when ``alarm`` rings.
    func due(at now: ContinuousClock.Instant, wall: Timestamp) -> [AlertJob] {
        let (ticket, covered) = (memory.durable(), inMaintenance())
        return change { pipeline, writes in
            let durable = writes.durable(through: ticket)
            return pipeline.due(durable: durable, isInMaintenance: covered, at: now, wall: wall)
        }
    }

    /// When ``due(at:wall:)`` has something to do next, unless ``alarm`` rings before; nil when nothing is due then.
    func nextDue(at now: ContinuousClock.Instant) -> ContinuousClock.Instant? { state.withLock { $0.pipeline.nextDue(at: now) } }

    /// Takes the answer to a job.
    func done(_ job: AlertJob, _ answer: AlertAnswer, at now: ContinuousClock.Instant, wall: Timestamp) {
        change { $0.done(job, answer, at: now, wall: wall) }
        alarm.ring()
    }

    func noteHeartbeat(_ answer: AlertAnswer) { change { $0.noteHeartbeat(answer) } }

    // MARK: Figures

    /// Targets whose alert waits because the vantage is in doubt.
    package var held: Set<TargetIdentity> { state.withLock { $0.pipeline.book.held } }

    /// Whether the alert of one target waits for that.
    package func holds(_ target: TargetIdentity) -> Bool { state.withLock { $0.pipeline.book.holds(target) } }

    /// Those of them on hosts of which there is no doubt any more: what they wait for is their next result.
    package var heldWithoutDoubt: Set<TargetIdentity> {
        state.withLock { state in
            let standing = state.pipeline.standing
            return state.pipeline.book.held { !standing.trust($0).isDoubtful }
        }
    }

    /// The classes of hosts of which a suspicion holds an alert: any answer ends it.
    package var suspectedClasses: Set<HostClass> {
        state.withLock { state in
            let standing = state.pipeline.standing
            return state.pipeline.book.heldClasses.filter { standing.trust($0).isSuspicious }
        }
    }

    package var counts: AlertingCounts { state.withLock { $0.pipeline.counts } }
}

package struct AlertingCounts: Hashable, Sendable {
    /// Alerts that an Alertmanager took, each time, and messages that a webhook took.
    package var sent = 0
    package var failed = 0
    package var queued = 0
    package var exceptions: [String: Int] = [:]
    /// Messages that a webhook refused for good, by what the log calls it.
    package var setAside: [String: Int] = [:]
}
