import Dispatch
import Foundation
import Glibc
import Synchronization
import TestSupport

/// One thread that serves all lanes. One turn writes at most one piece to each connection, so that the client can read between two.
package final class HostileServer: Sendable {
    package let lanes: [Lane]
    private let isStopped: StopFlag

    /// - Parameter onTick: called every few seconds, whatever else stands still.
    init(lanes count: Int, onTick: @escaping @Sendable () -> Void) throws {
        lanes = try (0..<count).map { _ in try Lane() }
        isStopped = StopFlag()
        Thread.detachNewThread { [lanes, isStopped] in
            let loop = ServerLoop(lanes)
            var ticksAt = monotonicMilliseconds()
            while !isStopped.isSet {
                loop.turn()
                guard monotonicMilliseconds() >= ticksAt else { continue }
                ticksAt = monotonicMilliseconds() + 3000
                onTick()
            }
            loop.closeAll()
            isStopped.confirm()
        }
    }

    /// Returns once every connection is closed.
    package func stop() async throws {
        isStopped.set()
        try await isStopped.untilConfirmed()
    }
}

private final class StopFlag: Sendable {
    private let flag = Atomic<Bool>(false)
    private let confirmed = Watched(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
    func confirm() { confirmed.change { $0 = true } }
    func untilConfirmed() async throws { try await confirmed.until { $0 } }
}

/// What the server's thread has to itself.
private final class ServerLoop {
    private let lanes: [Lane]
    private var peers: [Peer] = []
    private var polls: [pollfd] = []

    init(_ lanes: [Lane]) { self.lanes = lanes }

    func closeAll() {
        for peer in peers { peer.close() }
        peers = []
    }

    func turn() {
        polls.removeAll(keepingCapacity: true)
        for lane in lanes { polls.append(pollfd(fd: lane.descriptor, events: Int16(POLLIN), revents: 0)) }
        let now = monotonicMilliseconds()
        var patience: Int32 = 100
        for peer in peers {
            polls.append(pollfd(fd: peer.descriptor, events: Int16(peer.isFull ? POLLIN | POLLOUT : POLLIN), revents: 0))
            if let wait = peer.wait(from: now) { patience = min(patience, wait) }
        }
        let served = peers.count
        guard poll(&polls, nfds_t(polls.count), patience) >= 0 else { return }
        for (index, lane) in lanes.enumerated() where polls[index].revents != 0 { accept(on: lane) }
        let later = monotonicMilliseconds()
        for index in 0..<served {
            let events = Int32(polls[lanes.count + index].revents)
            if events & (POLLIN | POLLHUP | POLLERR) != 0 { peers[index].read() }
            peers[index].advance(at: later)
        }
        peers.removeAll { $0.isClosed }
    }

    private func accept(on lane: Lane) {
        while true {
            let descriptor = Glibc.accept(lane.descriptor, nil, nil)
            guard descriptor >= 0 else { return }
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            var on: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            peers.append(Peer(descriptor, lane))
        }
    }
}

/// One connection to the server.
private final class Peer {
    private(set) var descriptor: Int32
    private let lane: Lane
    private var requests = RequestReader()
    private var pieces: ArraySlice<[UInt8]> = []
    private var written = 0
    private var current: Answer?
    private var resumesAt: Int64 = 0
    /// When it closes unless something comes.
    private var closesAt: Int64?
    private static let millisecondsOfLingering: Int64 = 30
    /// The socket takes no more for now.
    private(set) var isFull = false
    private var hasFinished = false

    var isClosed: Bool { descriptor < 0 }

    init(_ descriptor: Int32, _ lane: Lane) {
        (self.descriptor, self.lane) = (descriptor, lane)
        if let answer = lane.nextUnasked() {
            begin(answer)
            requests.isOneAnswered = true
        }
    }

    /// How many milliseconds it has nothing to do; nil when it waits for the other end.
    func wait(from now: Int64) -> Int32? {
        if current == nil {
            if requests.hasOne, !hasFinished { return 0 }
            return closesAt.map { Int32(max(0, $0 - now)) }
        }
        return isFull ? nil : Int32(max(0, resumesAt - now))
    }

    func read() {
        guard !isClosed else { return }
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { buffer in
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 {
                requests.receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            } else if count == 0 || errno != EAGAIN {
                close()
            }
        }
    }

    func advance(at now: Int64) {
        guard !isClosed else { return }
        if current == nil, !hasFinished, requests.take() {
            guard let answer = lane.next() else { return close() }
            begin(answer)
        }
        if current == nil, let closesAt, now >= closesAt { return close() }
        guard current != nil, now >= resumesAt || isFull else { return }
        write()
        guard !isClosed, !isFull, let answer = current else { return }
        resumesAt = now + Int64(answer.millisecondsBetween)
        if pieces.isEmpty { end(answer, at: now) }
    }

    private func begin(_ answer: Answer) {
        (current, pieces, written) = (answer, answer.pieces[...], 0)
        (resumesAt, closesAt) = (0, nil)
    }

    private func write() {
        guard let piece = pieces.first else { return }
        let count = piece[written...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        isFull = count < 0 && errno == EAGAIN
        if isFull { return }
        if count < 0 { return close() }
        written += count
        guard written >= piece.count else { return }
        pieces.removeFirst()
        written = 0
    }

    private func end(_ answer: Answer, at now: Int64) {
        current = nil
        switch answer.ending {
        case .stays: break
        case .lingers: closesAt = now + Self.millisecondsOfLingering
        case .closes: close()
        case .finishes:
            shutdown(descriptor, Int32(SHUT_WR))
            hasFinished = true
        case .resets:
            var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
            close()
        }
    }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }
}

func monotonicMilliseconds() -> Int64 { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }
