// Fills a history with made-up results, by the daemon's own writer and on a clock of its own, and times what reads it.
//
//   HistoryBenchmark write DATABASE TARGETS SECONDS    a probe of each target every 30 s for so long, after an hour of it
//   HistoryBenchmark year DATABASE TARGETS DAYS [END]  the same with the default ages, half an hour in a commit; END is when it ends, in
//                                                      milliseconds since 1970
//   HistoryBenchmark read DATABASE TARGET              one target's readings, each several times
//   HistoryBenchmark merge DATABASE TARGET FROM TO     one target's p99 between two times, in milliseconds since 1970
//   HistoryBenchmark page DATABASE                     every target's last 30 days
//
// What is printed is JSON. The results are the same in each run.

import Glibc
import Health
import History

@main
struct HistoryBenchmark {
    static func main() async {
        let arguments = CommandLine.arguments.dropFirst()
        do {
            switch (arguments.first, arguments.count) {
            case ("write", 4): try await write(Array(arguments.dropFirst()), isYear: false)
            case ("year", 4), ("year", 5): try await write(Array(arguments.dropFirst()), isYear: true)
            case ("read", 3): try read(Array(arguments.dropFirst()))
            case ("merge", 5): try merge(Array(arguments.dropFirst()))
            case ("page", 2): try page(Array(arguments.dropFirst())[0])
            default:
                throw Wrong(
                    message:
                        "usage: HistoryBenchmark write|year DATABASE TARGETS LENGTH [END] | read DATABASE TARGET | merge DATABASE TARGET FROM TO | page DATABASE"
                )
            }
        } catch {
            let words = "\(error)\n"
            Glibc.write(STDERR_FILENO, words, words.utf8.count)
            exit(1)
        }
    }

    struct Wrong: Error, CustomStringConvertible {
        let message: String
        var description: String { message }
    }

    private static func write(_ arguments: [String], isYear: Bool) async throws {
        guard let targets = Int(arguments[1]), let length = Int(arguments[2]), targets > 0, length > 0 else {
            throw Wrong(message: "TARGETS and the length are numbers")
        }
        let end = arguments.count > 3 ? Int64(arguments[3]) : nil
        guard arguments.count == 3 || end != nil else { throw Wrong(message: "END is in milliseconds since 1970") }
        let start = end.map { Timestamp(milliseconds: $0) + .seconds(-86_400 * length) } ?? Load.usualStart
        var load = try Load(path: arguments[0], targets: targets, isYear: isYear, start: start)
        try await (isYear ? load.writeRounds(days: length) : load.writeTicks(seconds: length))
        print(await load.finish())
    }

    private static func read(_ arguments: [String]) throws {
        let reader = try HistoryReader.open(path: arguments[0])
        guard let target = try reader.targets(matching: arguments[1]).first,
            let end = try reader.newestResult(of: target.identity)
        else { throw Wrong(message: "no such target, or no results of it") }
        let day = Duration.seconds(86_400)
        let now = end + .milliseconds(1)
        let identity = target.identity
        let timings = try [
            ("day_raw", timed { try reader.results(of: identity, in: now + (.zero - day)..<now).count }),
            (
                "month_percentiles",
                timed {
                    let whole = try reader.summary(of: identity, in: now + (.zero - day * 30)..<now)
                    return [0.5, 0.95, 0.99].compactMap { whole.percentile($0) }.count
                }
            ),
            (
                "year_availability",
                timed {
                    try reader.series(of: identity, in: now + (.zero - day * 365)..<now, resolution: day)
                        .compactMap { $0.time?.availability }.count
                }
            ),
        ]
        let words = timings.map { "\"\($0.0)_ms\":\($0.1.milliseconds),\"\($0.0)_count\":\($0.1.count)" }
        print("{\(words.joined(separator: ","))}")
    }

    private static func merge(_ arguments: [String]) throws {
        guard let start = Int64(arguments[2]), let end = Int64(arguments[3]), start < end else {
            throw Wrong(message: "FROM and TO are milliseconds since 1970")
        }
        let reader = try HistoryReader.open(path: arguments[0])
        guard let target = try reader.targets(matching: arguments[1]).first else { throw Wrong(message: "no such target") }
        let span = Timestamp(milliseconds: start)..<Timestamp(milliseconds: end)
        print("{\"p99_us\":\(try reader.summary(of: target.identity, in: span).percentile(0.99)?.wholeMicroseconds ?? 0)}")
    }

    private static func page(_ path: String) throws {
        let reader = try HistoryReader.open(path: path)
        guard let end = try reader.newestMove() else { throw Wrong(message: "nothing has been moved in it") }
        let span = end + .seconds(-30 * 86_400)..<end + .milliseconds(1)
        let page = try timed(times: 3) {
            try reader.summaries(in: span).count { $0.value.time?.availability != nil && $0.value.percentile(0.95) != nil }
        }
        print("{\"page_ms\":\(page.milliseconds),\"targets\":\(page.count)}")
    }

    /// The median of several, after one that doesn't count.
    private static func timed(times: Int = 21, _ body: () throws -> Int) throws -> (milliseconds: Double, count: Int) {
        var count = try body()
        var taken: [Duration] = []
        for _ in 0..<times {
            let start = ContinuousClock.now
            count = try body()
            taken.append(start.duration(to: .now))
        }
        return (taken.sorted()[times / 2] / .milliseconds(1), count)
    }
}
