// Fuzzing: answers from a grammar, through every way by which a stranger's bytes come in, and what must hold of each.
// What lives here: the grammars of HTTP/1.1, HTTP/2 and lists, the server that sends them, the ways in, and the run over many cases.
// What doesn't: hostile targets that somebody thought of (Tests/HostileTargets); requests that the embedded API gets (Tests/TargetsServerTests).
// Where it goes next: a new way in is a file of Ways/; docs/fuzzing.md says what a run sees and what it doesn't.

import Curl
import Glibc
import Health
import Synchronization
import TestSupport

package struct FuzzOptions: Sendable {
    package var seed: UInt64
    /// The first case's number; the others follow.
    package var first = 0
    /// The run ends after so many answers or cases, whichever comes first.
    package var answers = Int.max
    package var cases = Int.max
    /// And after so long.
    package var time: Duration?
    package var way: Case.Way?
    /// So many cases are under way at a time.
    package var lanes = 128
    /// Of one request, or of a probe with all its redirects.
    package var timeout: Duration = .milliseconds(250)
    /// How much longer a case may take on a busy machine.
    package var margin: Duration = .seconds(30)
    /// A case that takes so long never ends: the run is given up.
    package var patience: Duration = .seconds(120)
    /// An engine makes so many cases; then its end is tried, too.
    package var casesOfEngine = 20_000
    /// Findings past which the run ends.
    package var findingsMax = 20
    /// Where the numbers of the cases under way are kept, for whoever looks after a crash.
    package var stateFile: String?

    package init(seed: UInt64) { self.seed = seed }
}

/// Something that may not be, with the case that brought it about.
package struct Finding: Sendable, CustomStringConvertible {
    package let complaint: String
    package let fuzzed: Case?

    package var description: String {
        guard let fuzzed else { return complaint }
        return "\(complaint)\n  again: scripts/fuzz --seed \(fuzzed.seed) --case \(fuzzed.number)\n  \(fuzzed)"
    }
}

package struct FuzzSummary: Sendable {
    package var cases = 0
    package var answers = 0
    package var healthy = 0
    package var engines = 0
    /// What came how often, by way.
    package var words: [String: Int] = [:]
    package var findings: [Finding] = []
    package var memory: [Int] = []
    package var descriptors: [Int] = []
}

/// A run over many cases.
package final class Fuzzer: Sendable {
    private let options: FuzzOptions
    private let server: HostileServer
    /// One for each lane's hostile cases, one for each lane's honest ones, whose kept connections nothing else came over; and one for healthy
    /// probes.
    private let hostile: ArraySlice<Lane>
    private let honest: ArraySlice<Lane>
    private let healthyLane: Lane
    private let next: Atomic<Int>
    private let summary = Mutex(FuzzSummary())
    private let state: StateFile?
    private let watch: HangWatch
    private let onFinding: @Sendable (Finding) -> Void
    private let began = ContinuousClock.now

    /// - Parameter onHang: called from a thread of the server's, again and again, when a case doesn't end.
    package init(
        _ options: FuzzOptions, onFinding: @escaping @Sendable (Finding) -> Void = { _ in },
        onHang: @escaping @Sendable (Finding) -> Void = { _ in }
    ) throws {
        (self.options, self.onFinding) = (options, onFinding)
        watch = HangWatch(patience: options.patience, onHang: onHang)
        server = try HostileServer(lanes: options.lanes * 2 + 1, onTick: watch.look)
        (hostile, honest) = (server.lanes[..<options.lanes], server.lanes[options.lanes..<options.lanes * 2])
        healthyLane = server.lanes[options.lanes * 2]
        healthyLane.begin([], last: Array("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nhealthy".utf8))
        next = Atomic(options.first)
        state = try options.stateFile.map { try StateFile($0, lanes: options.lanes) }
    }

    package func run(progress: @Sendable (FuzzSummary) -> Void = { _ in }) async throws -> FuzzSummary {
        measure()
        let descriptorsBefore = openDescriptors()
        while !isOver {
            try await runEngine()
            measure()
            progress(current)
        }
        try await server.stop()
        let left = openDescriptors() - descriptorsBefore
        // Those that a run of the system's libraries opened once for all are few.
        if left > 8 { report(Finding(complaint: "\(left) descriptors are open that weren't before the run", fuzzed: nil)) }
        checkMemory()
        return current
    }

    private var answers: Int { server.lanes.reduce(0) { $0 + $1.answersGiven } }

    private var current: FuzzSummary {
        summary.withLock { summary in
            var current = summary
            current.answers = answers
            return current
        }
    }

    private var isOver: Bool {
        let cases = next.load(ordering: .relaxed) - options.first
        let isLate = options.time.map { began.duration(to: .now) >= $0 } ?? false
        return isLate || cases >= options.cases || answers >= options.answers || current.findings.count >= options.findingsMax
    }

    /// One engine's life: its cases, and its end with whatever hostile connections it keeps.
    private func runEngine() async throws {
        let engine = try TransferEngine(name: "fuzz", maxLookups: 8, maxIdleConnections: 64, resolver: Self.lookUp)
        let start = next.load(ordering: .relaxed)
        let last = start + min(options.casesOfEngine, options.cases - (start - options.first))
        await TargetWay(engine: engine, timeout: .seconds(60)).prepare()
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<options.lanes {
                group.addTask { await self.runLane(index, engine, upTo: last) }
            }
        }
        await engine.shutDown()
        summary.withLock { $0.engines += 1 }
    }

    private func runLane(_ index: Int, _ engine: TransferEngine, upTo last: Int) async {
        let ways = (hostile: Ways(engine, hostile[index], options), honest: Ways(engine, honest[index + options.lanes], options))
        while !isOver {
            let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard number < last else {
                // It is another engine's.
                next.wrappingSubtract(1, ordering: .relaxed)
                return
            }
            state?.write(number, lane: index)
            let way = Case.isHonest(seed: options.seed, number: number) ? ways.honest : ways.hostile
            let fuzzed = Case(seed: options.seed, number: number, origin: way.lane.origin, only: options.way)
            way.lane.begin(fuzzed.answers, last: Self.lastAnswer(fuzzed))
            let start = ContinuousClock.now
            watch.begins(fuzzed, lane: index)
            var seen = await way.run(fuzzed)
            if start.duration(to: .now) > bound(seen) { seen = await runAgain(fuzzed, way) }
            note(seen, of: fuzzed)
            if number % 8 == 0 { await checkHealthy(way.targets, after: fuzzed) }
            watch.ends(lane: index)
            state?.write(nil, lane: index)
        }
    }

    private func bound(_ seen: Seen) -> Duration { options.timeout * seen.requests + options.margin }

    /// A busy machine can keep everything for long, but hardly twice the same case.
    private func runAgain(_ fuzzed: Case, _ way: Ways) async -> Seen {
        way.lane.begin(fuzzed.answers, last: Self.lastAnswer(fuzzed))
        let start = ContinuousClock.now
        var seen = await way.run(fuzzed)
        let duration = start.duration(to: .now)
        if duration > bound(seen) {
            seen.complaints.append("it took \(duration), twice, and \(bound(seen)) is the longest it may take")
        }
        return seen
    }

    private func note(_ seen: Seen, of fuzzed: Case) {
        summary.withLock { summary in
            summary.cases += 1
            summary.words["\(fuzzed.way.rawValue)\(fuzzed.speaksFrames ? "/2" : "") \(seen.word)", default: 0] += 1
        }
        for complaint in seen.complaints { report(Finding(complaint: complaint, fuzzed: fuzzed)) }
    }

    private func checkHealthy(_ targets: TargetWay, after fuzzed: Case) async {
        let complaints = await targets.complaintsOfHealthy(healthyLane.origin, reuses: fuzzed.number % 16 == 0)
        summary.withLock { $0.healthy += 1 }
        for complaint in complaints { report(Finding(complaint: complaint, fuzzed: fuzzed)) }
    }

    private func report(_ finding: Finding) {
        let isNew = summary.withLock { summary in
            guard summary.findings.count < options.findingsMax else { return false }
            summary.findings.append(finding)
            return true
        }
        if isNew { onFinding(finding) }
    }

    /// No name is asked for outside of this process.
    @Sendable private static func lookUp(_ name: LookupName) -> LookupAnswer {
        if name.host == "localhost", let here = SocketAddress("127.0.0.1") { return .addresses([here]) }
        return .failed(.init(.lookupFailed, detail: "Name or service not known"))
    }

    private static func lastAnswer(_ fuzzed: Case) -> [UInt8]? {
        if fuzzed.speaksFrames { return nil }
        let body = "{\"message\":\"Success\",\"targets\":[]}"
        return Array(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }
}

/// Knows the cases under way, by lane, and says which of them don't end.
private final class HangWatch: Sendable {
    private let underWay = Mutex<[Int: (fuzzed: Case, since: ContinuousClock.Instant)]>([:])
    private let patience: Duration
    private let onHang: @Sendable (Finding) -> Void

    init(patience: Duration, onHang: @escaping @Sendable (Finding) -> Void) { (self.patience, self.onHang) = (patience, onHang) }

    func begins(_ fuzzed: Case, lane: Int) { underWay.withLock { $0[lane] = (fuzzed, .now) } }
    func ends(lane: Int) { underWay.withLock { $0[lane] = nil } }

    @Sendable func look() {
        let hanging = underWay.withLock { cases in cases.values.filter { $0.since.duration(to: .now) > patience } }
        for (fuzzed, _) in hanging { onHang(Finding(complaint: "it doesn't end", fuzzed: fuzzed)) }
    }
}

/// The ways in, to one lane.
private struct Ways {
    let lane: Lane
    let targets: TargetWay
    let lists: ListWay
    let receivers: ReceiverWay

    init(_ engine: TransferEngine, _ lane: Lane, _ options: FuzzOptions) {
        self.lane = lane
        targets = TargetWay(engine: engine, timeout: options.timeout)
        lists = ListWay(engine: engine, timeout: options.timeout)
        receivers = ReceiverWay(engine: engine, origin: lane.origin, timeout: options.timeout)
    }

    func run(_ fuzzed: Case) async -> Seen {
        switch fuzzed.way {
        case .target: await targets.run(fuzzed, origin: lane.origin)
        case .list: await lists.run(fuzzed, origin: lane.origin)
        case .receiver: await receivers.run(fuzzed)
        }
    }
}

/// What grows.
extension Fuzzer {
    private func measure() {
        let (memory, descriptors) = (residentKibibytes(), openDescriptors())
        summary.withLock { summary in
            summary.memory.append(memory)
            summary.descriptors.append(descriptors)
        }
    }

    /// Past the first engines' lives, after which allocators and caches have what they keep, memory grows no more.
    private func checkMemory() {
        let memory = current.memory
        guard memory.count > 10 else { return }
        let (before, after) = (memory[memory.count / 4], memory[memory.count - 1])
        if after > before + 128 << 10 {
            report(Finding(complaint: "memory has grown from \(before) to \(after) KiB: \(memory)", fuzzed: nil))
        }
        let descriptors = current.descriptors
        if let most = descriptors.max(), most > descriptors[1] + 256 {
            report(Finding(complaint: "more and more descriptors are open: \(descriptors)", fuzzed: nil))
        }
    }
}
