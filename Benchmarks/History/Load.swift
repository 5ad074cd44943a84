import Glibc
import Health
import History

/// Made-up results of some targets, and what it costs to write them.
struct Load {
    static let interval = 30
    private static let ticksASecond = 2
    /// In seconds: an hour and a chunk. It begins at five in the morning, so that a sixth of a day is added up after it, too.
    private static let warmUp = 3900
    private static let fiveHours = 5 * 3600

    /// When the first results are, unless told.
    static let usualStart = Timestamp(milliseconds: 1_700_006_400_000)
    private let start: Timestamp
    private let history: History
    private let clock: SettableClock
    private let targets: [TargetIdentity]
    private var judges: [Judge]
    private var generator = Generator(state: 1)
    private var results = 0
    private var measuredFrom = 0
    private var processor = 0.0
    private var written = 0

    init(path: String, targets count: Int, isYear: Bool, start: Timestamp = usualStart) throws {
        let clock = SettableClock(start)
        self.start = start
        self.clock = clock
        var options = HistoryOptions(vantage: "bench", now: { clock.now })
        if isYear {
            let day = Duration.seconds(86_400)
            options.keep = .init(raw: day * 7, minutes: day * 45, hours: day * 400, days: day * 3650)
        }
        options.queueLimit = max(options.queueLimit, count)
        history = try History.open(path: path, options: options)
        targets = (0..<count).map { TargetIdentity(clientID: "bench", key: "tgt_\($0)") }
        judges = Array(repeating: Judge(), count: count)
    }

    /// As the daemon does it: what came in half a second is committed, and a step of moving follows. What is measured begins when the
    /// first hour is over, so that as much is moved, deleted and added up meanwhile as is written.
    mutating func writeTicks(seconds: Int) async throws {
        let period = Self.interval * Self.ticksASecond
        for tick in 0..<(Self.warmUp + seconds) * Self.ticksASecond {
            if tick == Self.warmUp * Self.ticksASecond { (measuredFrom, processor, written) = (results, 0, 0) }
            let (from, to) = (targets.count * (tick % period) / period, targets.count * (tick % period + 1) / period)
            clock.now = start + .seconds(Self.fiveHours) + .milliseconds(1000 * tick / Self.ticksASecond)
            for target in from..<to { append(target) }
            let history = history
            await measured {
                await history.flush()
                _ = await history.compact()
            }
        }
    }

    /// A commit for each chunk, moved as soon as it can be: a year in minutes. Chunks of half an hour, and in the end of five minutes, as the
    /// daemon's are.
    mutating func writeRounds(days: Int) async throws {
        let history = history
        let rounds = days * 86_400 / Self.interval
        for round in 0..<rounds {
            clock.now = start + .seconds(Self.interval * round)
            for target in targets.indices { append(target) }
            let chunk = round < rounds - 360 ? 60 : 10
            guard round % chunk == chunk - 1 else { continue }
            await measured {
                await history.flush()
                while await history.compact() {}
                if round % 1200 == 1199 { while await history.removeOld() {} }
            }
        }
    }

    mutating func finish() async -> String {
        let history = history
        await measured { await history.close() }
        let count = Double(max(1, results - measuredFrom))
        return
            "{\"results\":\(results - measuredFrom),\"processor_us\":\(processor / count),\"written\":\(Double(written) / count)}"
    }

    private mutating func measured(_ body: () async -> Void) async {
        let before = (processorMicroseconds(), writtenBytes())
        await body()
        processor += processorMicroseconds() - before.0
        written += writtenBytes() - before.1
    }

    /// One in a thousand fails, in runs; each target is as slow as it is far away.
    private mutating func append(_ target: Int) {
        var facts = ResponseFacts()
        let isBad = (results / targets.count / 4 + target * 7919) % 1000 == 0
        facts.httpStatus = isBad ? 503 : 200
        facts.address = "192.0.2.\(target % 100 * 2 + Int(generator.next(2)))"
        let distance = Int64(5000 + target % 40 * 400)
        let phases = Phases(
            dns: .microseconds(300 + generator.next(1200)), connect: .microseconds(distance + generator.next(4000)),
            tls: .microseconds(2 * distance + generator.next(8000)),
            processing: .microseconds(distance + generator.skewed(60_000)), transfer: .microseconds(80 + generator.next(400)))
        let parts = [phases.dns, phases.connect, phases.tls, phases.processing, phases.transfer].compactMap(\.self)
        let result = ProbeResult(
            target: targets[target], startedAt: clock.now + .milliseconds(generator.next(500)),
            duration: parts.reduce(.microseconds(20 + generator.next(80)), +), lateness: .microseconds(100 + generator.next(900)),
            outcome: isBad ? .bad(.statusUnexpected) : .good, sentence: "", phases: phases, facts: facts)
        let before = judges[target]
        let judgement = judges[target].judge(result, policy: Self.policy)
        history.append(
            HistoryRecord(
                result: result, judgement: judgement, judge: judges[target].isLike(before) ? nil : judges[target],
                interval: .seconds(Self.interval)))
        results += 1
    }

    private static let policy = ProbePolicy()
}

/// PCG's multiplier (O'Neill, 2014): quick, and the same everywhere.
private struct Generator {
    var state: UInt64

    /// Below a bound.
    mutating func next(_ bound: Int64) -> Int64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int64(state >> 33) % bound
    }

    /// Mostly small: the cube of an even share.
    mutating func skewed(_ bound: Int64) -> Int64 {
        let share = Double(next(1_000_000)) / 1_000_000
        return Int64(share * share * share * Double(bound))
    }
}

private func processorMicroseconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
    return Double(seconds) * 1e6 + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
}

/// `wchar` of /proc/self/io: what write(2) and its like were given.
private func writtenBytes() -> Int {
    guard let file = fopen("/proc/self/io", "r") else { return 0 }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 512)
    let count = fread(&buffer, 1, buffer.count - 1, file)
    let text = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("wchar:") }) else { return 0 }
    return Int(line.dropFirst(6).trimmingPrefix(" ")) ?? 0
}
