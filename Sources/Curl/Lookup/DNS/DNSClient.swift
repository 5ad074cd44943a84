internal import CCurl

/// Looks up names by DNS, many at a time, for the resolver's thread: its sockets, its lookups in flight, and the files that say whom to ask.
final class DNSClient {
    struct Ended {
        let id: UInt64
        let name: LookupName
        /// nil: the system is to look it up.
        let result: DNSResult?
    }

    /// A channel of c-ares has one source port for as long as it has questions in flight. With a new channel the port is another one, which who
    /// wants to forge an answer has to guess anew.
    private static let busyChannelNanoseconds: UInt64 = 1_000_000_000
    /// Without questions in flight a channel has no sockets, and the next question gets another port anyway.
    private static let idleChannelNanoseconds: UInt64 = 60_000_000_000
    /// How precisely a query is sent again.
    private static let tickMilliseconds: Int32 = 50

    private let port: UInt16
    private let sockets: EpollSet
    private var files: SystemFiles
    private var channel: DNSChannel?
    /// Those that are no longer asked, until their last questions have ended.
    private var retired: [DNSChannel] = []
    private var channels: [Int32: DNSChannel] = [:]
    private var lookups: [UInt64: DNSLookup] = [:]
    private var ended: [Ended] = []
    private var tickedAt: UInt64 = 0

    init(_ files: ResolverFiles) throws(TransferFailure) {
        port = files.port
        self.files = SystemFiles(files)
        sockets = try EpollSet()
    }

    /// Answers an errno, 0 when it is watched.
    func watch(_ descriptor: Int32) -> Int32 { sockets.watch(descriptor, CURL_POLL_IN) }

    /// Waits until there is something to do, and does it.
    ///
    /// - Parameter body: is called for a descriptor that is none of ours.
    func serve(_ body: (Int32) -> Void) {
        let isIdle = lookups.isEmpty && retired.isEmpty
        _ = sockets.wait(milliseconds: isIdle ? -1 : Self.tickMilliseconds) { event in
            guard let channel = channels[event.descriptor] else { return body(event.descriptor) }
            channel.serve(event)
            carryOn(channel)
        }
        let now = monotonicNanoseconds()
        guard now >= tickedAt + UInt64(Self.tickMilliseconds) * 1_000_000 else { return }
        tickedAt = now
        for channel in retired + [channel].compactMap(\.self) {
            channel.serveTimer()
            carryOn(channel)
        }
        retired.removeAll { $0.inFlight == 0 }
    }

    /// False for a name that the system is to look up.
    func isOfDNS(_ name: LookupName) -> Bool {
        files.look(now: monotonicNanoseconds())
        return files.route(name) == .dns
    }

    /// See ``takeEnded()``.
    func begin(_ id: UInt64, _ name: LookupName) {
        let configuration = files.configuration
        let types = files.families.types(for: name.family, isWithoutIPv6: configuration.isWithoutIPv6)
        var lookup = DNSLookup(
            id, name, types: types, searchDomains: configuration.searchDomains, asksOneByOne: configuration.asksOneByOne,
            goesOnAfterDNS: files.goesOnAfterDNS)
        carryOut(lookup.begin(), &lookup)
    }

    /// Since the last time.
    func takeEnded() -> [Ended] {
        defer { ended.removeAll(keepingCapacity: true) }
        return ended
    }

    func close() {
        for channel in retired + [channel].compactMap(\.self) { channel.close() }
        (channel, retired, channels) = (nil, [], [:])
    }

    private func carryOut(_ action: DNSLookup.Action, _ lookup: inout DNSLookup) {
        switch action {
        case .ask(let questions):
            lookups[lookup.id] = lookup
            ask(questions)
            return
        case .wait:
            lookups[lookup.id] = lookup
            return
        case .end(let result): ended.append(Ended(id: lookup.id, name: lookup.name, result: result))
        case .handOver: ended.append(Ended(id: lookup.id, name: lookup.name, result: nil))
        }
        lookups[lookup.id] = nil
    }

    private func ask(_ questions: [DNSQuestion]) {
        do throws(TransferFailure) {
            let channel = try currentChannel()
            for question in questions { channel.ask(question) }
            carryOn(channel)
        } catch {
            let now = monotonicNanoseconds()
            let outcome = DNSEnd.Outcome.localFault(systemError: error.systemError ?? 0)
            for question in questions { take(DNSEnd(question: question, outcome: outcome, at: now)) }
        }
    }

    private func carryOn(_ channel: DNSChannel) {
        for end in channel.takeEnded() { take(end) }
    }

    private func take(_ end: DNSEnd) {
        guard var lookup = lookups.removeValue(forKey: end.question.lookup) else { return }
        carryOut(lookup.ended(end), &lookup)
    }

    private func currentChannel() throws(TransferFailure) -> DNSChannel {
        let now = monotonicNanoseconds()
        if let channel, channel.configuration == files.configuration {
            let lifetime = channel.inFlight == 0 ? Self.idleChannelNanoseconds : Self.busyChannelNanoseconds
            if now < channel.beganAt + lifetime { return channel }
        }
        let new = try DNSChannel(files.configuration, port: port, now: now) { [weak self] descriptor, interest, channel in
            guard let self else { return 0 }
            self.channels[descriptor] = interest == CURL_POLL_REMOVE ? nil : channel
            return self.sockets.watch(descriptor, interest)
        }
        if let channel, channel.inFlight > 0 { retired.append(channel) }
        channel = new
        return new
    }
}
