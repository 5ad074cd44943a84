// Curl: HTTP transfers over libcurl, as many at a time as the caller starts.
// What lives here: the engine and its one thread, handles, name lookups, phases, certificate facts, URLs as libcurl reads them.
// What doesn't: targets, policies, retries, redirects, verdicts. A transfer says what happened; Probing says what that means.
// It goes next to Probing (probes), and to whatever else needs an HTTP client: the sync, the alerts, the command line.
// The egress rule comes in as a closure with each request; nothing here knows what it forbids.

internal import Synchronization

/// Carries out transfers. One thread of its own owns every libcurl call of every transfer and resumes whoever awaits one.
///
/// There is no bound on transfers in flight besides the callers': each awaits its own report.
package final class TransferEngine: Sendable {
    private let mailbox: Mailbox
    /// For tasks that make many transfers.
    package let executor: EngineExecutor
    let handshakes = SharedHandshakes()
    private let ended = Latch()
    private let meter = LoadMeter()
    private let lastID = Atomic<UInt64>(0)

    /// `resolver` and `authorities` may be those of other engines. `maxIdleConnections` bounds the connections kept for requests that reuse them.
    /// Throws `localFault` when the system has no descriptors, memory or threads left.
    /// `name` is its thread's, in at most 15 bytes. `hasRoute` is asked on that thread.
    package init(
        name: String = "curl", resolver: NameResolver = NameResolver(), authorities: Authorities = Authorities(),
        maxIdleConnections: Int = 1024, userAgent: String? = nil,
        hasRoute: @escaping @Sendable (SocketAddress) -> Bool = { systemHasRoute($0) }
    ) throws(TransferFailure) {
        let mailbox = try Mailbox()
        self.mailbox = mailbox
        let bounds = Loop.Bounds(idleConnections: max(1, maxIdleConnections))
        executor = EngineExecutor(mailbox)
        let loop = try Loop(
            mailbox: mailbox, executor: executor, load: meter, handshakes: handshakes, authorities: authorities, bounds: bounds,
            userAgent: userAgent,
            resolver: resolver, hasRoute: hasRoute)
        let ended = self.ended
        let error = startThread(named: name, stackBytes: 4 << 20) {
            loop.run()
            ended.open()
        }
        guard error == 0 else { throw .local("no thread for the transfers", error) }
    }

    /// With a function in place of the system's resolver, as in ``NameResolver/init(threads:lookUp:)``.
    package convenience init(
        name: String = "curl", maxLookups: Int = 256, maxIdleConnections: Int = 1024, userAgent: String? = nil,
        resolver: @escaping @Sendable (LookupName) -> LookupAnswer,
        hasRoute: @escaping @Sendable (SocketAddress) -> Bool = { systemHasRoute($0) }
    ) throws(TransferFailure) {
        try self.init(
            name: name, resolver: NameResolver(threads: maxLookups, lookUp: resolver), maxIdleConnections: maxIdleConnections,
            userAgent: userAgent, hasRoute: hasRoute)
    }

    deinit {
        mailbox.close()
    }

    /// One transfer, to its end. It always ends in a report: by an answer, a failure, the timeout, cancellation or `shutDown`.
    package func transfer(_ request: TransferRequest) async -> TransferReport {
        let id = lastID.wrappingAdd(1, ordering: .relaxed).newValue
        let ticket = Ticket()
        return await withTaskCancellationHandler {
            guard !Task.isCancelled else { return .unstarted(.init(.cancelled)) }
            return await withCheckedContinuation { continuation in
                guard mailbox.post(.submit(Submission(id: id, request: request, continuation: continuation))) else {
                    return continuation.resume(returning: .unstarted(.init(.shutDown)))
                }
                if ticket.wasCancelledBeforeSubmission() { mailbox.post(.cancel(id)) }
            }
        } onCancel: {
            if ticket.cancel() { mailbox.post(.cancel(id)) }
        }
    }

    /// How busy the engine's thread is.
    package var load: EngineLoad { meter.reading() }

    /// Closes the connections that are kept for reuse and that no transfer uses just now.
    package func closeKeptConnections() { mailbox.post(.closeKept) }

    /// Waits on the engine's thread; ends early when the task is cancelled or the engine shut down.
    func nap(_ duration: Duration) async {
        let id = lastID.wrappingAdd(1, ordering: .relaxed).newValue
        let ticket = Ticket()
        await withTaskCancellationHandler {
            guard !Task.isCancelled, duration > .zero else { return }
            let deadline = monotonicNanoseconds() + duration.boundedNanoseconds
            await withCheckedContinuation { continuation in
                guard mailbox.post(.nap(id, until: deadline, continuation)) else { return continuation.resume() }
                if ticket.wasCancelledBeforeSubmission() { mailbox.post(.endNap(id)) }
            }
        } onCancel: {
            if ticket.cancel() { mailbox.post(.endNap(id)) }
        }
    }

    /// Ends every transfer in flight with `shutDown`, and returns when the engine's thread is done. Later transfers end at once.
    /// A lookup that hangs in the system's resolver is left behind with its thread; its answer goes nowhere.
    package func shutDown() async {
        mailbox.close()
        await ended.wait()
    }
}

/// Puts a cancellation after its submission in the mailbox, whichever comes first.
private final class Ticket: Sendable {
    private enum Stage {
        static let open: UInt8 = 0
        static let submitted: UInt8 = 1
        static let cancelled: UInt8 = 2
    }

    private let stage = Atomic<UInt8>(Stage.open)

    /// True when the submission is already there, so that the canceller posts; else the submitter will.
    func cancel() -> Bool {
        stage.exchange(Stage.cancelled, ordering: .acquiringAndReleasing) == Stage.submitted
    }

    func wasCancelledBeforeSubmission() -> Bool {
        !stage.compareExchange(expected: Stage.open, desired: Stage.submitted, ordering: .acquiringAndReleasing).exchanged
    }
}
