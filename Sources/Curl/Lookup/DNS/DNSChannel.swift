internal import CCurl
internal import Glibc

/// One question of one lookup.
struct DNSQuestion: Hashable, Sendable {
    let lookup: UInt64
    let name: DNSName
    let type: DNSType
}

/// How a question ended.
struct DNSEnd {
    enum Outcome: Hashable {
        case reply(DNSReply)
        /// No server answered. The errno is the last one that a socket met, 0 where there was none.
        case noAnswer(systemError: Int32)
        /// Our own trouble: no memory, no descriptors.
        case localFault(systemError: Int32)
    }

    let question: DNSQuestion
    let outcome: Outcome
    /// Nanoseconds of the monotonic clock: when the kernel had the answer.
    let at: UInt64
}

/// A channel of c-ares: it sends questions, sends them again, goes on to another server, asks by TCP what UDP has no room for, and takes an
/// answer only where its id and its question are those that were asked. For one thread.
///
/// What an answer says is read by ``DNSMessage``. c-ares 1.18.1 would follow an alias of any name, and so take the address of another name.
final class DNSChannel {
    private static let dataBytesMax = 4 << 20
    /// c-ares reads until nothing more has come. Whoever floods a socket would keep it there.
    private static let datagramsPerTurn = 256

    let configuration: ResolverConfiguration
    /// By the monotonic clock.
    let beganAt: UInt64
    private(set) var inFlight = 0
    /// Since the last ``takeEnded()``.
    private var ended: [DNSEnd] = []

    private var channel: ares_channel?
    private let watch: (_ descriptor: Int32, _ interest: Int32, DNSChannel) -> Int32
    /// Response codes with which c-ares goes on to the next server, by query id: in the end it says only that there was no answer.
    private var refusals: [UInt16: UInt8] = [:]
    /// How many questions in flight have an id.
    private var idsInFlight: [UInt16: Int] = [:]
    private var systemError: Int32 = 0
    private var datagramsLeft = 0
    /// Of the last datagram, in nanoseconds of the realtime clock.
    private var arrival: Int64 = 0

    /// - Parameters:
    ///   - port: of all servers.
    ///   - watch: has a descriptor watched as libcurl's socket callback would say it; answers an errno.
    init(
        _ configuration: ResolverConfiguration, port: UInt16, now: UInt64,
        watch: @escaping (_ descriptor: Int32, _ interest: Int32, DNSChannel) -> Int32
    ) throws(TransferFailure) {
        (self.configuration, self.watch, beganAt) = (configuration, watch, now)
        var options = ares_options()
        var mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_SERVERS | ARES_OPT_DOMAINS
        mask |= ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST | ARES_OPT_SOCK_STATE_CB
        mask |= configuration.rotates ? ARES_OPT_ROTATE : ARES_OPT_NOROTATE
        options.flags = configuration.usesTCP ? ARES_FLAG_USEVC : 0
        options.timeout = Int32(configuration.seconds * 1000)
        options.tries = Int32(configuration.attempts)
        options.ndots = 1
        options.sock_state_cb = socketChanged
        options.sock_state_cb_data = Unmanaged.passUnretained(self).toOpaque()
        let servers = configuration.servers.map { $0.isIPv4 ? "\($0.text):\(port)" : "[\($0.text)]:\(port)" }
        // With all of these given, c-ares reads no files of its own.
        var first = in_addr(s_addr: 0x7f00_0001 as UInt32)
        let status = withUnsafeMutablePointer(to: &first) { first in
            "b".withCString { lookups in
                options.lookups = UnsafeMutablePointer(mutating: lookups)
                (options.servers, options.nservers) = (first, 1)
                let status = ares_init_options(&channel, &options, mask)
                return status == ARES_SUCCESS
                    ? ares_set_servers_ports_csv(channel, servers.joined(separator: ",")) : status
            }
        }
        guard status == ARES_SUCCESS, let channel else {
            if let channel { ares_destroy(channel) }
            channel = nil
            throw .local("a lookup", ENOMEM)
        }
        ares_set_socket_functions(channel, socketFunctions, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { close() }

    /// Questions in flight end with no answer.
    func close() {
        guard let channel else { return }
        self.channel = nil
        ares_destroy(channel)
    }

    /// It may have ended when this comes back: see ``takeEnded()``.
    func ask(_ question: DNSQuestion) {
        guard let channel else { return }
        // c-ares tells an answer by its id and its question: another question may have the same id.
        let id = UInt16.random(in: 0...UInt16.max)
        let query = DNSMessage.query(id, question.name, question.type)
        let context = Unmanaged.passRetained(QueryContext(self, question, id: id))
        inFlight += 1
        idsInFlight[id, default: 0] += 1
        query.withUnsafeBufferPointer { query in
            ares_send(channel, query.baseAddress, Int32(query.count), queryEnded, context.toOpaque())
        }
    }

    /// A descriptor is ready, as ``EpollSet`` says it.
    func serve(_ event: EpollSet.Event) {
        guard let channel else { return }
        datagramsLeft = Self.datagramsPerTurn
        let (isReadable, isWritable) = (event.mask & CURL_CSELECT_IN != 0, event.mask & CURL_CSELECT_OUT != 0)
        ares_process_fd(channel, isReadable ? event.descriptor : -1, isWritable ? event.descriptor : -1)
    }

    /// Sends again what has had no answer for long, or gives it up.
    func serveTimer() {
        if let channel, inFlight > 0 { ares_process_fd(channel, -1, -1) }
    }

    /// Not inside c-ares: what follows from an end may ask again.
    func takeEnded() -> [DNSEnd] {
        defer { ended.removeAll(keepingCapacity: true) }
        return ended
    }

    fileprivate func end(_ query: QueryContext, _ status: Int32, _ answer: UnsafeRawBufferPointer?) {
        inFlight -= 1
        let others = idsInFlight[query.id, default: 1] - 1
        idsInFlight[query.id] = others > 0 ? others : nil
        let refusal = refusals.removeValue(forKey: query.id)
        let isOurs = [EMFILE, ENFILE, ENOMEM, ENOBUFS, ENOSPC].contains(systemError)
        let outcome: DNSEnd.Outcome
        switch (status, answer) {
        case (ARES_SUCCESS, let answer?):
            outcome = .reply(DNSMessage.read(answer, asked: query.question.name, query.question.type))
        case (ARES_ENOMEM, _): outcome = .localFault(systemError: ENOMEM)
        case _ where isOurs: outcome = .localFault(systemError: systemError)
        default: outcome = refusal.map { .reply(.failed(responseCode: $0)) } ?? .noAnswer(systemError: systemError)
        }
        let arrivedAt = answer == nil ? nil : monotonicNanoseconds(ofArrival: arrival)
        ended.append(DNSEnd(question: query.question, outcome: outcome, at: arrivedAt ?? monotonicNanoseconds()))
    }
}

/// The sockets, as c-ares asks for them.
extension DNSChannel {
    fileprivate func changed(_ descriptor: Int32, isReadable: Bool, isWritable: Bool) {
        let interest = (isReadable ? CURL_POLL_IN : 0) | (isWritable ? CURL_POLL_OUT : 0)
        let error = watch(descriptor, interest == 0 ? CURL_POLL_REMOVE : interest, self)
        if error != 0 { systemError = error }
    }

    fileprivate func open(_ family: Int32, _ type: Int32, _ protocolNumber: Int32) -> Int32 {
        let made = newSocket(family, type | Int32(SOCK_NONBLOCK.rawValue), protocolNumber)
        guard made.value >= 0 else {
            systemError = made.error
            return -1
        }
        systemError = 0
        if type == Int32(SOCK_DGRAM.rawValue) {
            rf_dns_note_arrivals(made.value)
            rf_dns_widen(made.value, Int32(Self.dataBytesMax))
        } else {
            rf_dns_send_at_once(made.value)
        }
        return made.value
    }

    fileprivate func connect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>?, _ length: socklen_t) -> Int32 {
        let result = Glibc.connect(descriptor, address, length)
        if result != 0, errno != EINPROGRESS { note(errno) }
        return result
    }

    /// An empty datagram is nobody's answer; c-ares would take it for the end of the server.
    fileprivate func receive(
        _ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int, _ flags: Int32,
        _ from: UnsafeMutablePointer<sockaddr>?,
        _ fromLength: UnsafeMutablePointer<socklen_t>?
    ) -> Int {
        let isDatagram = from != nil
        while !isDatagram || datagramsLeft > 0 {
            datagramsLeft -= 1
            let received = rf_dns_receive(descriptor, buffer, count, flags, from, fromLength, &arrival)
            guard isDatagram, received >= 0 else {
                if received > 0 { systemError = 0 }
                if received < 0, errno != EAGAIN { note(errno) }
                return received
            }
            guard received > 0 else { continue }
            systemError = 0
            noteRefusal(UnsafeRawBufferPointer(start: buffer, count: received))
            return received
        }
        errno = EAGAIN
        return -1
    }

    /// A full buffer loses the packet as a network does, and c-ares sends it again; told of the error, it would give the server up.
    fileprivate func send(_ descriptor: Int32, _ parts: UnsafePointer<iovec>, _ count: Int32) -> Int {
        let sent = rf_dns_send(descriptor, parts, count)
        guard sent < 0 else {
            systemError = 0
            return sent
        }
        let error = errno
        var type: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length)
        if type == Int32(SOCK_DGRAM.rawValue), [EAGAIN, ENOBUFS, ENOMEM].contains(error) {
            return (0..<Int(count)).reduce(0) { $0 + parts[$1].iov_len }
        }
        if error != EAGAIN { note(error) }
        errno = error
        return -1
    }

    private func note(_ error: Int32) {
        systemError = error
        errno = error
    }

    private func noteRefusal(_ message: UnsafeRawBufferPointer) {
        guard message.count >= DNSMessage.headerBytes, message[2] >> 7 == 1 else { return }
        let (code, id) = (message[3] & 0xf, UInt16(message[0]) << 8 | UInt16(message[1]))
        guard code == 2 || code == 4 || code == 5, idsInFlight[id] != nil else { return }
        refusals[id] = code
    }
}

/// What c-ares gives back with the end of a query.
private final class QueryContext {
    unowned let channel: DNSChannel
    let question: DNSQuestion
    let id: UInt16

    init(_ channel: DNSChannel, _ question: DNSQuestion, id: UInt16) {
        (self.channel, self.question, self.id) = (channel, question, id)
    }
}

private func queryEnded(
    _ context: UnsafeMutableRawPointer?, _ status: Int32, _: Int32, _ answer: UnsafeMutablePointer<UInt8>?, _ count: Int32
) {
    guard let context else { return }
    let query = Unmanaged<QueryContext>.fromOpaque(context).takeRetainedValue()
    query.channel.end(query, status, answer.map { UnsafeRawBufferPointer(start: $0, count: Int(count)) })
}

private func socketChanged(_ context: UnsafeMutableRawPointer?, _ descriptor: Int32, _ isReadable: Int32, _ isWritable: Int32) {
    channel(context)?.changed(descriptor, isReadable: isReadable != 0, isWritable: isWritable != 0)
}

private func channel(_ context: UnsafeMutableRawPointer?) -> DNSChannel? {
    context.map { Unmanaged<DNSChannel>.fromOpaque($0).takeUnretainedValue() }
}

/// c-ares keeps the pointer.
private nonisolated(unsafe) let socketFunctions: UnsafePointer<ares_socket_functions> = {
    let functions = UnsafeMutablePointer<ares_socket_functions>.allocate(capacity: 1)
    functions.initialize(
        to: ares_socket_functions(
            asocket: { family, type, protocolNumber, context in channel(context)?.open(family, type, protocolNumber) ?? -1 },
            aclose: { descriptor, _ in close(descriptor) },
            aconnect: { descriptor, address, length, context in channel(context)?.connect(descriptor, address, length) ?? -1 },
            arecvfrom: { descriptor, buffer, count, flags, from, fromLength, context in
                guard let buffer, let channel = channel(context) else { return -1 }
                return channel.receive(descriptor, buffer, count, flags, from, fromLength)
            },
            asendv: { descriptor, parts, count, context in
                guard let parts, let channel = channel(context) else { return -1 }
                return channel.send(descriptor, parts, count)
            }))
    return UnsafePointer(functions)
}()
