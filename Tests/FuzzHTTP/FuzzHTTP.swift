// The fuzzer as a program; scripts/fuzz builds and runs it.

import Foundation
import Fuzzing

@main struct FuzzHTTP {
    /// The main thread only waits, so that an exit from any other ends the process.
    static func main() {
        guard let command = Command(Array(CommandLine.arguments.dropFirst())) else {
            FileHandle.standardError.write(Data(Command.usage.utf8))
            exit(2)
        }
        Task.detached {
            do {
                exit(try await run(command))
            } catch {
                say("\(error)")
                exit(2)
            }
        }
        while true { pause() }
    }

    private static func run(_ command: Command) async throws -> Int32 {
        if let path = command.afterCrash {
            for number in try StateFile.numbers(in: path) { say(number) }
            return 0
        }
        if command.shows {
            let (options, origin) = (command.options, "http://127.0.0.1:40000")
            say(Case(seed: options.seed, number: options.first, origin: origin, only: options.way))
            return 0
        }
        let fuzzer = try Fuzzer(command.options, onFinding: { say("FOUND: \($0)") }) { hanging in
            say("FOUND: \(hanging)")
            exit(3)
        }
        say("seed \(command.options.seed)")
        let began = ContinuousClock.now
        let summary = try await fuzzer.run { say(line($0, since: began)) }
        for (word, count) in summary.words.sorted(by: { $0.key < $1.key }) { say("  \(word): \(count)") }
        say(line(summary, since: began))
        say("\(summary.findings.count) findings")
        return summary.findings.isEmpty ? 0 : 1
    }

    private static func line(_ summary: FuzzSummary, since began: ContinuousClock.Instant) -> String {
        let seconds = began.duration(to: .now) / .seconds(1)
        return
            "\(summary.answers) answers in \(summary.cases) cases, \(Int(seconds)) s, \(Int(Double(summary.answers) / max(0.001, seconds))) a second;"
            + " \(summary.healthy) healthy probes, \(summary.engines) engines, \((summary.memory.last ?? 0) / 1024) MiB,"
            + " \(summary.descriptors.last ?? 0) descriptors"
    }
}

/// At once: what crashes writes nothing afterwards.
@Sendable private func say(_ text: Any) { FileHandle.standardOutput.write(Data("\(text)\n".utf8)) }

private struct Command: Sendable {
    static let usage = """
        FuzzHTTP [--seed S] [--answers N] [--cases N] [--minutes N] [--way target|list|receiver] [--lanes N] [--timeout MILLISECONDS]
                 [--case N [--before N] [--show]] [--state FILE] [--after FILE]

        """

    var options = FuzzOptions(seed: .random(in: 0...UInt64(UInt32.max)))
    var afterCrash: String?
    var shows = false

    init?(_ words: [String]) {
        var words = words[...]
        var (number, before): (Int?, Int) = (nil, 64)
        while let word = words.popFirst() {
            if word == "--show" {
                shows = true
                continue
            }
            guard let value = words.popFirst() else { return nil }
            let count = Int(value)
            switch word {
            case "--state": options.stateFile = value
            case "--after": afterCrash = value
            case "--way":
                guard let way = Case.Way(rawValue: value) else { return nil }
                options.way = way
            case "--seed":
                guard let seed = UInt64(value) else { return nil }
                options.seed = seed
            default:
                guard let count, count >= 0, take(word, count, &number, &before) else { return nil }
            }
        }
        guard let number else { return }
        // One after the other, with what came before: a fault may have its cause there.
        options.first = shows ? number : max(0, number - before)
        (options.cases, options.lanes, options.time) = (number - options.first + 1, 1, nil)
    }

    private mutating func take(_ word: String, _ count: Int, _ number: inout Int?, _ before: inout Int) -> Bool {
        switch word {
        case "--answers": options.answers = count
        case "--cases": options.cases = count
        case "--first": options.first = count
        case "--minutes": options.time = .seconds(count * 60)
        case "--lanes": options.lanes = max(1, count)
        case "--timeout": options.timeout = .milliseconds(count)
        case "--case": number = count
        case "--before": before = count
        default: return false
        }
        return true
    }
}
