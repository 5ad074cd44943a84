internal import CCurl
internal import Glibc
internal import Synchronization

/// The one thread that asks name servers. It begins with the first name.
final class DNSThread: Sendable {
    private let files: ResolverFiles
    private let desk: LookupDesk
    private let inbox = DNSInbox()

    init(_ files: ResolverFiles, _ desk: LookupDesk) { (self.files, self.desk) = (files, desk) }

    /// The desk gets the answer.
    func ask(_ name: LookupName, _ id: UInt64) {
        guard inbox.post(name, id) else { return }
        let (files, desk, inbox) = (files, desk, inbox)
        let error = startThread(named: NameResolver.dnsThreadName, stackBytes: 1 << 20) { serve(inbox, files, desk) }
        if error != 0 { refuse(inbox, desk, .local("no thread for lookups", error)) }
    }

    func close() { inbox.close() }
}

/// The names for the thread.
private final class DNSInbox: Sendable {
    private struct State {
        var asked: [(name: LookupName, id: UInt64)] = []
        var isServed = false
        var isClosed = false
    }

    private let state = Mutex(State())
    /// Readable while there is something to take; -1 where there is none.
    let descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))

    deinit { Glibc.close(descriptor) }

    /// Whether nobody serves it: then someone has to.
    func post(_ name: LookupName, _ id: UInt64) -> Bool {
        let (wasServed, wasEmpty) = state.withLock { state in
            state.asked.append((name, id))
            defer { state.isServed = true }
            return (state.isServed, state.asked.count == 1)
        }
        if wasServed, wasEmpty { wake() }
        return !wasServed
    }

    func close() {
        state.withLock { $0.isClosed = true }
        wake()
    }

    func clearWake() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
    }

    /// Puts all names since the last time into an empty array; answers whether they are the last.
    func take(into asked: inout [(name: LookupName, id: UInt64)]) -> Bool {
        state.withLock { state in
            swap(&state.asked, &asked)
            return state.isClosed
        }
    }

    /// All names since the last time; nobody serves it after this.
    func giveUp() -> [(name: LookupName, id: UInt64)] {
        state.withLock { state in
            defer { state.asked = [] }
            state.isServed = false
            return state.asked
        }
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }
}

/// Until the inbox is closed.
private func serve(_ inbox: DNSInbox, _ files: ResolverFiles, _ desk: LookupDesk) {
    let client: DNSClient
    do throws(TransferFailure) {
        client = try DNSClient(files)
        let error = inbox.descriptor < 0 ? EMFILE : client.watch(inbox.descriptor)
        guard error == 0 else { throw .local("no lookups", error) }
    } catch {
        return refuse(inbox, desk, error)
    }
    defer { client.close() }
    var asked: [(name: LookupName, id: UInt64)] = []
    while true {
        asked.removeAll(keepingCapacity: asked.capacity < 1024)
        let isClosed = inbox.take(into: &asked)
        if isClosed { return }
        for (name, id) in asked { begin(name, id, client, desk) }
        tellEnds(client, desk)
        client.serve { _ in inbox.clearWake() }
        tellEnds(client, desk)
    }
}

private func begin(_ name: LookupName, _ id: UInt64, _ client: DNSClient, _ desk: LookupDesk) {
    // What is to be looked up by the system counts as asked for until a thread is free.
    guard client.isOfDNS(name) else { return desk.askSystem(name, id) }
    if desk.table.withLock({ $0.beginByDNS(name, id) }) { client.begin(id, name) }
}

/// Until no lookup has ended: one that begins here can end at once, and nothing would wake the thread for it.
private func tellEnds(_ client: DNSClient, _ desk: LookupDesk) {
    var ended = client.takeEnded()
    while !ended.isEmpty {
        for end in ended {
            guard let result = end.result else {
                desk.askSystem(end.name, end.id)
                continue
            }
            if let again = desk.finish(end.name, end.id, result) { begin(end.name, again, client, desk) }
        }
        ended = client.takeEnded()
    }
}

private func refuse(_ inbox: DNSInbox, _ desk: LookupDesk, _ failure: TransferFailure) {
    for (name, id) in inbox.giveUp() {
        _ = desk.finish(name, id, DNSResult(answer: .failed(failure), at: monotonicNanoseconds()))
    }
}
