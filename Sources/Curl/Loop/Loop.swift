internal import CCurl
internal import CReceive

/// The engine's thread, turn by turn: it serves the sockets, reads the mailbox, begins and ends transfers, and runs the tasks that prefer it.
/// Everything in here belongs to that thread alone.
final class Loop {
    struct Bounds {
        var idleConnections: Int
    }

    /// Past any of these, others have waited long enough for the sockets.
    private static let manyReady = 16
    private static let looksMax = 6
    private static let nanosecondsOfLooks: UInt64 = 300_000

    let mailbox: Mailbox
    private let multi: MultiHandle
    private let kept = KeptConnections()
    private let certificates = KnownCertificates()
    private let load: LoadMeter
    let authorities: Authorities
    let resolver: NameResolver
    let userAgent: String?

    var transfers = TransferTable()
    var routes: Routes
    private var backlog = Backlog()
    private var jobs: JobQueue
    private var naps = Naps()
    private var answers = Answers()
    private var standstills = Standstills()
    /// Empty between two readings of the mailbox.
    private var messages: [Message] = []

    init(
        mailbox: Mailbox, executor: EngineExecutor, load: LoadMeter, handshakes: SharedHandshakes = SharedHandshakes(),
        authorities: Authorities, bounds: Bounds, userAgent: String?, resolver: NameResolver,
        hasRoute: @escaping @Sendable (SocketAddress) -> Bool
    ) throws(TransferFailure) {
        multi = try MultiHandle(idleConnections: bounds.idleConnections, handshakes)
        self.mailbox = mailbox
        self.load = load
        self.authorities = authorities
        self.userAgent = userAgent
        jobs = JobQueue(executor)
        self.resolver = resolver
        routes = Routes(hasRoute)
        let error = multi.watch(mailbox.descriptor)
        guard error == 0 else { throw .local("epoll", error) }
    }

    /// Until the mailbox is closed.
    func run() {
        mailbox.belongsToThisThread()
        multi.start()
        var isClosed = false
        while !isClosed {
            load.turnEnds(at: monotonicNanoseconds(), waiting: backlog.count)
            let socketNanoseconds = serveSockets(milliseconds: patience())
            endDone()
            let mailboxReadAt = monotonicNanoseconds()
            isClosed = readMailbox()
            beginSome(Backlog.allowance(socketNanoseconds: socketNanoseconds))
            if multi.serveTimer() { endDone() }
            endPassedDeadlines(mailboxReadAt: mailboxReadAt)
            answers.deliver()
            jobs.run(socketNanoseconds: socketNanoseconds)
        }
        for transfer in Array(transfers.all) { end(transfer, .init(.shutDown)) }
        for nap in naps.takeAll() { nap.resume() }
        answers.deliver()
        // What these jobs enqueue goes elsewhere by now.
        jobs.runAll()
        multi.close()
    }

    /// How long the next turn may wait for something to be ready; -1 for ever.
    private func patience() -> Int32 {
        guard backlog.isEmpty, jobs.isEmpty, mailbox.isEmpty else { return 0 }
        let next = min(multi.timer ?? .max, transfers.nextDeadline() ?? .max, naps.next ?? .max)
        guard next != .max else { return -1 }
        let now = monotonicNanoseconds()
        guard next > now else { return 0 }
        // A standstill that is shorter than the wait that was asked for isn't seen.
        return millisecondsRoundedUp(transfers.isEmpty ? next - now : min(next - now, Standstills.waitMax))
    }

    /// Waits for sockets, and serves them until a look finds none: what else there is to do can wait, but the time at which an answer came
    /// is the time at which it is read. Answers for how many nanoseconds.
    private func serveSockets(milliseconds: Int32) -> UInt64 {
        var looks = 0
        var ready = 0
        var (firstAt, taken): (UInt64, UInt64) = (0, 0)
        repeat {
            let patience = looks == 0 ? milliseconds : 0
            ready = multi.wait(milliseconds: patience) { event in
                if firstAt == 0 {
                    firstAt = checkForStandstill(after: patience)
                    if looks == 0 { load.turnBegins(at: firstAt) }
                }
                if event.descriptor == mailbox.descriptor { mailbox.clearWake() } else { multi.serve(event) }
            }
            looks += 1
            if firstAt == 0 {
                let now = checkForStandstill(after: patience)
                if looks == 1 { load.turnBegins(at: now) }
            }
            if firstAt > 0 { taken = monotonicNanoseconds() - firstAt }
        } while ready > 0 && ready < Self.manyReady && looks < Self.looksMax && taken < Self.nanosecondsOfLooks
        return taken
    }

    private func readMailbox() -> Bool {
        let isClosed = mailbox.take(into: &messages)
        defer { messages.removeAll(keepingCapacity: messages.capacity < 1024) }
        for message in messages {
            switch message {
            case .submit(let submission):
                transfers.insert(Transfer(submission, kept, certificates, systemBundle: authorities.systemBundle))
                backlog.append(submission.id)
            case .cancel(let id):
                if let transfer = transfers[id] { end(transfer, .init(.cancelled)) }
            case .lookedUp(let name, let answer, let at, let ids): lookedUp(name, answer, at: at, for: ids)
            case .bundleRead(let transfer): bundleRead(for: transfer)
            case .nap(let id, let deadline, let continuation): naps.begin(id, until: deadline, continuation)
            case .endNap(let id): naps.end(id)?.resume()
            case .run(let job): jobs.append(job)
            case .closeKept: shutDownKept(kept.all)
            }
        }
        return isClosed
    }

    private func beginSome(_ count: Int) {
        if !backlog.isEmpty { checkForStandstill() }
        for _ in 0..<count {
            guard let id = backlog.popFirst() else { return }
            guard let transfer = transfers[id] else { continue }
            transfer.times.standstillBefore = standstills.total
            begin(transfer)
        }
    }

    /// Before anything is begun or ended by the time: what the clock says then may be our own trouble. Answers the time.
    ///
    /// - Parameter patience: the milliseconds for which the thread was to wait; -1 for ever.
    @discardableResult
    private func checkForStandstill(after patience: Int32 = 0) -> UInt64 {
        let now = monotonicNanoseconds()
        standstills.check(
            monotonic: now, boottime: boottimeNanoseconds(), asked: patience < 0 ? .max : UInt64(patience) * 1_000_000)
        return now
    }

    /// Connections to an address that its name no longer has, after a lookup.
    func shutDownKept(of name: LookupName, notAmong addresses: [SocketAddress]) {
        shutDownKept(kept.endpoints(of: name, notAmong: addresses))
    }

    /// But for those that a transfer uses just now: they are found at the next lookup.
    private func shutDownKept(_ endpoints: Set<KeptConnections.Endpoint>) {
        guard !endpoints.isEmpty else { return }
        let used = Set(transfers.all.compactMap { $0.state == .running ? $0.keptEndpoint : nil })
        for endpoint in endpoints.subtracting(used) { kept.shutDown(endpoint) }
    }
}

/// To libcurl and back.
extension Loop {
    /// Hands the transfer to libcurl. Answers what went wrong.
    func add(_ transfer: Transfer, _ handle: EasyHandle) -> TransferFailure? {
        if let failure = multi.add(handle) { return failure }
        transfer.state.handedOver()
        transfers.handedOver(transfer)
        return nil
    }

    /// Takes the transfer from libcurl, where it is, and answers whoever awaits it.
    ///
    /// - Parameter isCutOff: libcurl has not come to an end of its own.
    func end(_ transfer: Transfer, _ failure: TransferFailure?, isCutOff: Bool = true) {
        guard transfers.remove(transfer) else { return }
        var report = transfer.finalReport(failure, isCutOff: isCutOff)
        if transfer.times.beganAt > 0 {
            report.standstill = .nanoseconds(standstills.total - transfer.times.standstillBefore)
        }
        release(transfer)
        answers.append(transfer, report)
    }

    private func release(_ transfer: Transfer) {
        switch transfer.state.end(transfer.request) {
        case .lookup(let name): _ = leaveLookup(name, transfer)
        case .libcurl: if let handle = transfer.handle { multi.remove(handle) }
        case .nothing: break
        }
        transfer.handle = nil
    }

    /// Once more, on a new connection: libcurl's own second try keeps what the first one left in its handle.
    private func tryAgain(_ transfer: Transfer) {
        let again = Transfer(again: transfer)
        release(transfer)
        transfers.insert(again)
        connect(again)
    }

    /// Takes up what libcurl is done with. Not at each socket that is ready, but after all of them: while one answer is taken up, libcurl
    /// doesn't see that the next one has come, and its processing phase would grow by what we do.
    private func endDone() {
        var now: UInt64 = 0
        while let (transfer, result) = multi.nextDone() {
            if now == 0 { now = checkForStandstill() }
            // A connection on which something went wrong carries nothing more, though libcurl would keep many a one of HTTP/2: nobody knows
            // what the peer's bytes have left there. The transfer has it for itself.
            let isLate = transfer.hasEndedLate
            let failure = transfer.failure(isLate ? CURLE_OPERATION_TIMEDOUT : result)
            let isTriedAgain = SecondTry(transfer, result, failure, now: now).isDeserved
            let descriptor = failure != nil || isTriedAgain ? transfer.handle.map { rf_get_socket($0.pointer) } ?? -1 : -1
            if isTriedAgain { tryAgain(transfer) } else { end(transfer, failure, isCutOff: isLate) }
            kept.shutDown(descriptor)
        }
    }

    /// - Parameter mailboxReadAt: what other threads had posted by then was read.
    private func endPassedDeadlines(mailboxReadAt: UInt64) {
        while let transfer = transfers.popLate(now: mailboxReadAt) {
            checkForStandstill()
            endWait(transfer, now: mailboxReadAt)
        }
        let now = monotonicNanoseconds()
        while let transfer = transfers.popOverdue(now: now) {
            checkForStandstill()
            endOverdue(transfer, now: now)
        }
        for nap in naps.takeOver(now: now) { nap.resume() }
    }

    /// A deadline is the server's: what had come by then is still read, where this thread comes round to it soon enough.
    private func endOverdue(_ transfer: Transfer, now: UInt64) {
        let overdue = Overdue(transfer, now: now)
        if overdue != .timedOut, let timeline = transfer.handle?.timeline, !timeline.pointee.is_late {
            let before = Overdue.Progress(timeline.pointee)
            multi.serveOnceMore(timeline)
            endDone()
            guard transfers[transfer.id] === transfer else { return }
            // What libcurl does not read though its socket is served is nothing that this thread has left lying.
            guard Overdue.Progress(timeline.pointee) != before else {
                return end(transfer, transfer.failure(CURLE_OPERATION_TIMEDOUT))
            }
        }
        switch overdue {
        case .awaitsReading: transfers.postpone(transfer, now: now)
        case .timedOut: end(transfer, transfer.failure(CURLE_OPERATION_TIMEDOUT))
        case .heldUp:
            transfer.report.wasHeldUp = true
            end(transfer, transfer.failure(CURLE_OPERATION_TIMEDOUT))
        }
    }
}
