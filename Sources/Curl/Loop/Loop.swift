internal import CCurl
internal import CReceive
internal import Dispatch
internal import Glibc

/// The engine's thread: the mailbox, the lookups, and libcurl's multi handle over epoll. Everything in here belongs to it alone.
///
/// After libcurl's `docs/examples/ephiperfifo.c`, with epoll's own timeout in place of a timer descriptor.
final class Loop {
    struct Bounds {
        var lookups: Int
        var idleConnections: Int
    }

    /// How many transfers begin in one turn, so that a burst of them doesn't keep those in flight from their sockets.
    private static let beginningsPerTurn = 2
    /// The same after a turn in which sockets took long, for then many wait to begin.
    private static let beginningsAfterLongTurn = 32
    private static let nanosecondsOfLongTurn: UInt64 = 1_000_000
    /// Of one connection, before others are served.
    private static let bytesPerTurn = 16 << 10

    private let mailbox: Mailbox
    private let readiness: EpollSet
    private let lookupThreads: LookupThreads
    private let multi: UnsafeMutableRawPointer
    let userAgent: String?
    let authorities: Authorities
    private let systemBundle: String

    var transfers: [UInt64: Transfer] = [:]
    var lookups: LookupTable
    var waitDeadlines = Deadlines()
    /// Of the transfers that libcurl has.
    var overdues = Deadlines()
    private var backlog: [UInt64] = []
    private var backlogStart = 0
    /// When libcurl wants to be called without a socket being ready, by the monotonic clock.
    private var timer: UInt64?
    /// Ended in this turn. They are answered together, so that a busy turn wakes the tasks' threads once and not for each.
    private var answers:
        [(continuation: CheckedContinuation<TransferReport, Never>, report: TransferReport, pending: PendingBody?)] = []
    private let kept = KeptConnections()
    private var standstills = Standstills()
    var routes: Routes
    private var naps = Naps()
    private var messages: [Message] = []
    /// Of tasks that prefer this thread.
    private var jobs: [UnownedJob] = []
    private var jobsStart = 0
    /// For so long they may keep the thread from its sockets: an answer that comes meanwhile is seen late, and its processing phase is too
    /// long by that. As long as the sockets took, where that was longer: one that is always ready would leave nothing for starts and ends.
    private static let nanosecondsOfJobs: UInt64 = 150_000
    private static let nanosecondsOfJobsMax: UInt64 = 10_000_000
    /// Past any of these, others have waited long enough.
    private static let manyReady = 16
    private static let looksMax = 6
    private static let nanosecondsOfLooks: UInt64 = 300_000
    private let executor: UnownedTaskExecutor

    init(
        mailbox: Mailbox, executor: EngineExecutor, bounds: Bounds, userAgent: String?,
        resolver: @escaping @Sendable (LookupName) -> LookupAnswer, hasRoute: @escaping @Sendable (SocketAddress) -> Bool
    ) throws(TransferFailure) {
        let prepared = Self.prepared
        guard prepared.code == CURLE_OK, let multi = curl_multi_init() else { throw .libcurl(.localFault, prepared.code) }
        self.multi = multi
        self.mailbox = mailbox
        self.executor = executor.asUnownedTaskExecutor()
        self.userAgent = userAgent
        lookupThreads = LookupThreads { mailbox.post(.lookedUp($0, resolver($0))) }
        systemBundle = prepared.bundle
        authorities = Authorities(systemBundle: prepared.bundle) { readElsewhere($0, mailbox) }
        lookups = LookupTable(limit: bounds.lookups)
        routes = Routes(hasRoute)
        readiness = try EpollSet()
        rf_multi_set_long(multi, CURLMOPT_MAXCONNECTS, bounds.idleConnections)
        // One request at a time on a kept connection: what one probe waits for must not be another's answer. And where several share one,
        // libcurl 7.88.1 fails some whose headers are long, and gives others handles back that can't be used again.
        rf_multi_set_long(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING)
        let error = readiness.watch(mailbox.descriptor, CURL_POLL_IN)
        guard error == 0 else { throw .local("epoll", error) }
    }

    /// Once a process: libcurl itself, and the bundle of certificates that it was built to use.
    private static let prepared: (code: CURLcode, bundle: String) = {
        let code = curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        return (code, systemAuthorities)
    }()

    /// Until the mailbox is closed.
    func run() {
        mailbox.belongsToThisThread()
        let context = Unmanaged.passUnretained(self).toOpaque()
        rf_multi_set_socket_function(multi, socketChanged, context)
        rf_multi_set_timer_function(multi, timerChanged, context)
        var isClosed = false
        while !isClosed {
            let patience = patience()
            let taken = serveSockets(milliseconds: patience)
            endDone()
            isClosed = readMailbox()
            beginSome(atMost: taken > Self.nanosecondsOfLongTurn ? Self.beginningsAfterLongTurn : Self.beginningsPerTurn)
            if let timer, timer <= monotonicNanoseconds() {
                self.timer = nil
                advance(CURL_SOCKET_TIMEOUT, 0)
                endDone()
            }
            endWaits()
            endOverdue()
            for nap in naps.takeOver(now: monotonicNanoseconds()) { nap.resume() }
            answer()
            runJobs(nanoseconds: max(Self.nanosecondsOfJobs, min(taken, Self.nanosecondsOfJobsMax)))
        }
        for transfer in Array(transfers.values) { end(transfer, .init(.shutDown)) }
        for nap in naps.takeAll() { nap.resume() }
        answer()
        // What these jobs enqueue goes elsewhere by now.
        while jobsStart < jobs.count { runJobs(nanoseconds: Self.nanosecondsOfJobs) }
        lookupThreads.close()
        inTurn { curl_multi_cleanup(multi) }
    }

    /// Waits for sockets, and serves them until a look finds none: what else there is to do can wait, but the time at which an answer came
    /// is the time at which it is read. Answers for how many nanoseconds.
    private func serveSockets(milliseconds: Int32) -> UInt64 {
        var looks = 0
        var ready = 0
        var (firstAt, taken): (UInt64, UInt64) = (0, 0)
        repeat {
            let patience = looks == 0 ? milliseconds : 0
            ready = readiness.wait(milliseconds: patience) { event in
                if firstAt == 0 { firstAt = lookForStandstill(after: patience) }
                if event.descriptor == mailbox.descriptor { mailbox.clearWake() } else { advance(event.descriptor, event.mask) }
            }
            looks += 1
            if firstAt == 0 { _ = lookForStandstill(after: patience) }
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
                transfers[submission.id] = Transfer(submission, kept, systemBundle: systemBundle)
                backlog.append(submission.id)
            case .cancel(let id):
                if let transfer = transfers[id] { end(transfer, .init(.cancelled)) }
            case .lookedUp(let name, let answer):
                lookedUp(name, answer)
            case .bundleRead(let path, let file, let bundle): bundleRead(path, file, bundle)
            case .nap(let id, let deadline, let continuation): naps.begin(id, until: deadline, continuation)
            case .endNap(let id): naps.end(id)?.resume()
            case .run(let job): jobs.append(job)
            case .closeKept: shutDownKept(kept.all)
            }
        }
        return isClosed
    }

    /// Connections to an address that its name no longer has, after a lookup.
    func shutDownKept(of name: LookupName, notAmong addresses: [SocketAddress]) {
        shutDownKept(kept.endpoints(of: name, notAmong: addresses))
    }

    /// But for those that a transfer uses just now: they are found at the next lookup.
    private func shutDownKept(_ endpoints: Set<KeptConnections.Endpoint>) {
        guard !endpoints.isEmpty else { return }
        let used = Set(transfers.values.compactMap { $0.stage == .running ? $0.keptEndpoint : nil })
        for endpoint in endpoints.subtracting(used) { kept.shutDown(endpoint) }
    }

    private func runJobs(nanoseconds: UInt64) {
        guard jobsStart < jobs.count else { return }
        let end = monotonicNanoseconds() + nanoseconds
        repeat {
            jobsStart += 1
            jobs[jobsStart - 1].runSynchronously(on: executor)
        } while jobsStart < jobs.count && monotonicNanoseconds() < end
        Self.drop(&jobs, before: &jobsStart)
    }

    /// Before anything is begun or ended by the time: what the clock says then may be our own trouble. Answers the time.
    ///
    /// - Parameter patience: the milliseconds for which the thread was to wait; -1 for ever.
    @discardableResult
    func lookForStandstill(after patience: Int32 = 0) -> UInt64 {
        let now = monotonicNanoseconds()
        standstills.check(
            monotonic: now, boottime: boottimeNanoseconds(), asked: patience < 0 ? .max : UInt64(patience) * 1_000_000)
        return now
    }

    private func beginSome(atMost count: Int) {
        if backlogStart < backlog.count { lookForStandstill() }
        let batch = backlog[backlogStart...].prefix(count)
        backlogStart = batch.endIndex
        for id in batch {
            guard let transfer = transfers[id] else { continue }
            transfer.standstillBefore = standstills.total
            begin(transfer)
        }
        Self.drop(&backlog, before: &backlogStart)
    }

    /// Clears away what is done with: at once when that is all, else in bulk, for a queue that never runs dry would grow for ever.
    private static func drop<Element>(_ queue: inout [Element], before start: inout Int) {
        if start == queue.count {
            queue.removeAll(keepingCapacity: start <= 1024)
        } else if start > 1024 {
            queue.removeFirst(start)
        } else {
            return
        }
        start = 0
    }

    /// How long the next turn may wait for something to be ready.
    private func patience() -> Int32 {
        guard backlogStart == backlog.count, jobsStart == jobs.count, mailbox.isEmpty else { return 0 }
        while let first = waitDeadlines.first, transfers[first.id]?.isParked != true { waitDeadlines.removeFirst() }
        let next = min(timer ?? .max, waitDeadlines.first?.nanoseconds ?? .max, naps.next ?? .max, nextOverdue ?? .max)
        guard next != .max else { return -1 }
        let now = monotonicNanoseconds()
        guard next > now else { return 0 }
        // A standstill that is shorter than the wait that was asked for isn't seen.
        return millisecondsRoundedUp(transfers.isEmpty ? next - now : min(next - now, Standstills.waitMax))
    }

    private func answer() {
        guard !answers.isEmpty else { return }
        for (continuation, report, pending) in answers {
            guard let pending else {
                continuation.resume(returning: report)
                continue
            }
            // Not here, nor in the caller's task: it may run on this thread, too.
            DispatchQueue.global().async { continuation.resume(returning: pending.finished(report)) }
        }
        answers.removeAll(keepingCapacity: true)
    }

    func lookUpElsewhere(_ name: LookupName) -> Int32 { lookupThreads.take(name) }
}

/// libcurl's side.
extension Loop {
    /// Hands the transfer to libcurl. Answers what went wrong.
    func add(_ transfer: Transfer, _ handle: EasyHandle) -> TransferFailure? {
        let code = curl_multi_add_handle(multi, handle.pointer)
        guard code == CURLM_OK else {
            let words = curl_multi_strerror(code).map { String(cString: $0) } ?? ""
            return TransferFailure(.localFault, detail: words)
        }
        transfer.stage = .running
        overdues.insert((transfer.deadline + Self.overdueAfter, transfer.id))
        return nil
    }

    /// Takes the transfer from libcurl, where it is, and answers whoever awaits it.
    func end(_ transfer: Transfer, _ failure: TransferFailure?) {
        guard transfers.removeValue(forKey: transfer.id) != nil else { return }
        if transfer.stage == .lookingUp { _ = lookups.leave(transfer.lookupName, transfer.id) }
        var report = transfer.finalReport(failure)
        if transfer.beganAt > 0 { report.standstill = .nanoseconds(standstills.total - transfer.standstillBefore) }
        takeFromLibcurl(transfer)
        answers.append((transfer.continuation, report, transfer.pendingBody(of: report)))
    }

    private func takeFromLibcurl(_ transfer: Transfer) {
        guard let handle = transfer.handle else { return }
        if transfer.stage == .running { inTurn { curl_multi_remove_handle(multi, handle.pointer) } }
        transfer.handle = nil
    }

    /// Once more, on a new connection: libcurl's own second try keeps what the first one left in its handle.
    private func tryAgain(_ transfer: Transfer) {
        takeFromLibcurl(transfer)
        let again = Transfer(again: transfer)
        transfers[again.id] = again
        connect(again)
    }

    private func advance(_ descriptor: Int32, _ mask: Int32) {
        var running: Int32 = 0
        inTurn { curl_multi_socket_action(multi, descriptor, mask, &running) }
    }

    private func inTurn(_ body: () -> CURLMcode) {
        rf_turn_begins(Self.bytesPerTurn)
        _ = body()
        rf_turn_ends()
    }

    /// Takes up what libcurl is done with. Not at each socket that is ready, but after all of them: while one answer is taken up, libcurl
    /// doesn't see that the next one has come, and its processing phase would grow by what we do.
    private func endDone() {
        var left: Int32 = 0
        var now: UInt64 = 0
        while let message = curl_multi_info_read(multi, &left) {
            if now == 0 { now = lookForStandstill() }
            // The message goes with the handle, so what it says is read before the handle is removed.
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let result = message.pointee.data.result
            guard let transfer = Transfer.of(easy) else { continue }
            // A connection on which something went wrong carries nothing more, though libcurl would keep many a one of HTTP/2: nobody knows
            // what the peer's bytes have left there. The transfer has it for itself.
            let failure = transfer.failure(result)
            let isTriedAgain = transfer.deservesSecondTry(result, failure, now: now)
            let descriptor = failure != nil || isTriedAgain ? rf_get_socket(easy) : -1
            if isTriedAgain { tryAgain(transfer) } else { end(transfer, failure) }
            kept.shutDown(descriptor)
        }
    }

    fileprivate func watch(_ easy: UnsafeMutableRawPointer?, _ descriptor: Int32, _ interest: Int32) {
        let error = readiness.watch(descriptor, interest)
        // Answering -1 here would fail every transfer. This one will time out, and then it says whose fault that was.
        if error != 0, let easy { Transfer.of(easy)?.localError = error }
    }

    fileprivate func setTimer(milliseconds: Int) {
        timer = milliseconds < 0 ? nil : monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
    }
}

private func readElsewhere(_ path: String, _ mailbox: Mailbox) {
    let read = { @Sendable in
        // Before it is read: what is written meanwhile makes another form of it.
        let file = FileForm(path)
        mailbox.post(.bundleRead(path: path, file, file == nil ? nil : ParsedBundle(path)))
    }
    // Without a thread it is read here after all: once a second at most.
    if startThread(named: "curl-authority", stackBytes: 1 << 20, read) != 0 { read() }
}

private func socketChanged(
    easy: UnsafeMutableRawPointer?, descriptor: Int32, interest: Int32, context: UnsafeMutableRawPointer?,
    _: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context else { return 0 }
    Unmanaged<Loop>.fromOpaque(context).takeUnretainedValue().watch(easy, descriptor, interest)
    return 0
}

// libcurl may not be called from here; the loop does so when the time has come.
private func timerChanged(_: UnsafeMutableRawPointer?, milliseconds: Int, context: UnsafeMutableRawPointer?) -> Int32 {
    guard let context else { return 0 }
    Unmanaged<Loop>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds: milliseconds)
    return 0
}

/// The bundle of certificates that libcurl was built to use.
package var systemAuthorities: String {
    rf_default_bundle().map { String(cString: $0) } ?? "/etc/ssl/certs/ca-certificates.crt"
}
