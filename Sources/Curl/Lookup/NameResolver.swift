internal import CCurl
internal import Synchronization

/// Looks up names, for as many engines as share it: one lookup a name at a time over all of them, and one memory of answers.
///
/// A name of DNS is asked for by c-ares, on one thread for all names. The other names are the system's (NSS): they are looked up by getaddrinfo(3) in
/// threads. ``SystemFiles`` says which name is whose.
package final class NameResolver: Sendable {
    /// Of those who ask the system.
    package static let lookupThreadName = "curl-lookup"
    /// Of the one who asks DNS.
    package static let dnsThreadName = "resolver"

    private let desk: LookupDesk
    private let dns: DNSThread?

    /// - Parameter threads: so many names at most are asked of the system at a time.
    package convenience init(threads: Int = 256) { self.init(threads: threads, files: ResolverFiles()) { $0.lookUp() } }

    /// With a function in place of the system's and of DNS: it may block as long as it likes, on a thread of its own.
    package init(threads: Int = 256, lookUp: @escaping @Sendable (LookupName) -> LookupAnswer) {
        desk = LookupDesk(threads: max(1, threads), lookUp)
        dns = nil
    }

    /// With files of its own. `lookUp` is the system.
    init(threads: Int = 256, files: ResolverFiles, lookUp: @escaping @Sendable (LookupName) -> LookupAnswer) {
        let desk = LookupDesk(threads: max(1, threads), lookUp)
        self.desk = desk
        dns = DNSThread(files, desk)
    }

    /// Lookups that are under way are left to themselves, and their answers go nowhere.
    deinit {
        desk.close()
        dns?.close()
    }

    /// A good answer that is young enough. Without one the waiter's mailbox gets ``Message/lookedUp(_:_:at:for:)`` when there is an answer.
    ///
    /// - Parameter beganAt: when the transfer began, in nanoseconds of the monotonic clock: an answer counts as old as it was then.
    func ask(_ name: LookupName, _ waiter: LookupWaiter, _ reuse: LookupReuse, beganAt: UInt64) -> [SocketAddress]? {
        let (addresses, id) = desk.table.withLock { table -> ([SocketAddress]?, UInt64?) in
            if let addresses = table.recall(name, reuse, now: beganAt) { return (addresses, nil) }
            return (nil, table.wait(for: name, waiter, reuse, now: monotonicNanoseconds()))
        }
        guard let id else { return addresses }
        if let dns { dns.ask(name, id) } else { desk.askSystem(name, id) }
        return nil
    }

    /// Leaves a lookup to itself. Answers whether it was under way: if not, it had no chance to answer in time.
    func leave(_ name: LookupName, _ waiter: LookupWaiter) -> Bool { desk.table.withLock { $0.leave(name, waiter) } }
}

/// Where lookups are taken in and answers handed out: what the resolver, its thread and the threads that ask the system have in common.
final class LookupDesk: Sendable {
    let table: Mutex<LookupTable>
    private let threads = LookupThreads()
    private let lookUp: @Sendable (LookupName) -> LookupAnswer

    init(threads limit: Int, _ lookUp: @escaping @Sendable (LookupName) -> LookupAnswer) {
        table = Mutex(LookupTable(threads: limit))
        self.lookUp = lookUp
    }

    func close() { threads.close() }

    /// In a thread, when one is free.
    func askSystem(_ name: LookupName, _ id: UInt64) {
        table.withLock { $0.queue(name, id) }
        startThreads()
    }

    /// Answers the id under which the lookup begins anew, where it does.
    func finish(_ name: LookupName, _ id: UInt64, _ result: DNSResult) -> UInt64? {
        let end = table.withLock { $0.finish(name, id, result, now: monotonicNanoseconds()) }
        Self.tell(end.waiters, name, result.answer, at: result.at)
        return end.again
    }

    private func startThreads() {
        while let name = table.withLock({ $0.next() }) {
            let error = threads.take(name) { self.lookUpNow($0) }
            if error != 0 { finish(name, .failed(.local("no thread for a lookup", error))) }
        }
    }

    private func lookUpNow(_ name: LookupName) {
        finish(name, lookUp(name))
        startThreads()
    }

    private func finish(_ name: LookupName, _ answer: LookupAnswer) {
        let now = monotonicNanoseconds()
        let waiters = table.withLock { $0.finish(name, answer, at: now) }
        Self.tell(waiters, name, answer, at: now)
    }

    private static func tell(_ waiters: Set<LookupWaiter>, _ name: LookupName, _ answer: LookupAnswer, at: UInt64) {
        if waiters.count == 1, let waiter = waiters.first {
            waiter.mailbox?.post(.lookedUp(name, answer, at: at, for: [waiter.transfer]))
            return
        }
        for (_, waiters) in Dictionary(grouping: waiters, by: { $0.mailbox.map(ObjectIdentifier.init) }) {
            waiters.first?.mailbox?.post(.lookedUp(name, answer, at: at, for: waiters.map(\.transfer)))
        }
    }
}
