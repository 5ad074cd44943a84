import Foundation
import Glibc
import Health
import History
import Synchronization
import TestSupport
import Testing

/// RANGEFINDER_KILLS says how many of each; issue 4 asks for 200, which take twenty minutes.
private let kills: Int = {
    let environment = ProcessInfo.processInfo.environment
    return environment["RANGEFINDER_KILLS"].flatMap { Int($0) } ?? (environment["RANGEFINDER_LONG"] != nil ? 20 : 2)
}()

/// Again and again under load: SIGKILL or a power failure, the next start, and a comparison with what the targets' own server sent.
@Suite(.timeLimit(.minutes(60))) struct KillTests {
    enum End: CaseIterable { case kill, powerFailure }

    private static let targets = 200

    @Test(arguments: End.allCases)
    func everyAnswerOlderThanTwoSecondsSurvives(_ end: End) async throws {
        let answers = Answers()
        let site = try Site(
            paths: (0..<Self.targets).map { "t\($0)" }, probe: "{interval: 1s, fast_interval: 1s, timeout: 900ms}"
        ) { answers.next($0.path) }
        let failure = try end == .powerFailure ? PowerFailure(of: site) : nil
        var known: [String: Int] = [:]
        var generator = SeededGenerator(state: 1)
        for round in 1...kills {
            let before = answers.sent
            let (program, _) = try await site.start(environment: failure?.environment ?? [:])
            let begin = site.target.requests.count + Int.random(in: 0..<300, using: &generator)
            try await site.target.until { $0.count >= begin }
            let old = answers.sent
            // 200 a second: two seconds and a half.
            let count = site.target.requests.count
            try await site.target.until { $0.count >= count + 500 }
            program.send(SIGKILL)
            #expect(await program.ended() == -SIGKILL)
            try failure?.happen()
            let all = answers.sent
            for (path, rows) in try rows(site) {
                let (sent, first) = (all[path] ?? [], before[path]?.count ?? 0)
                let gained = rows.dropFirst(known[path] ?? 0)
                known[path] = rows.count
                let own = sent[first...].prefix(gained.count)
                #expect(
                    gained.count >= (old[path]?.count ?? 0) - first, "round \(round), \(path): \(gained) of \(sent[first...])")
                // nil where the answer came too late for its probe.
                #expect(
                    own.count == gained.count && zip(gained, own).allSatisfy { $0 == nil || $0 == $1 },
                    "round \(round), \(path): \(gained) of \(sent[first...])")
            }
            // The results of the run before were being moved while this one was killed.
            let history = try HistoryReader.open(path: site.database)
            #expect(try history.check().problems == [])
            #expect(try history.statuses().count == Self.targets)
        }
    }

    /// The statuses of each path's results, in their order.
    private func rows(_ site: Site) throws -> [String: [Int?]] {
        let query = """
            PRAGMA integrity_check; SELECT count(*) - count(DISTINCT result_id) FROM probe_history;
            SELECT target, http_status FROM probe_history ORDER BY result_id
            """
        let lines = try ChildProcess.run("sqlite3", ["-separator", " ", site.database, query]).output.split(separator: "\n")
        #expect(lines.prefix(2) == ["ok", "0"])
        var rows: [String: [Int?]] = [:]
        for line in lines.dropFirst(2) {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            rows["/\(words[0])", default: []].append(Int(words[1]))
        }
        return rows
    }
}

/// Every answer of one path has another status than the fifty before.
private final class Answers: Sendable {
    private let log = Mutex<[String: [Int]]>([:])

    var sent: [String: [Int]] { log.withLock { $0 } }

    func next(_ path: String) -> LoopbackReply {
        log.withLock { log in
            let status = 230 + (log[path]?.count ?? 0) % 50
            log[path, default: []].append(status)
            return .http(status)
        }
    }
}

/// What Tests/PowerFailure keeps of a database.
private struct PowerFailure {
    private let site: Site
    private let folder: String

    init(of site: Site) throws {
        self.site = site
        folder = site.folder.file("durable")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    }

    var environment: [String: String] {
        let library = URL(fileURLWithPath: Program.path).deletingLastPathComponent().appendingPathComponent("libPowerFailure.so")
        return ["LD_PRELOAD": library.path, "RANGEFINDER_DURABLE": folder]
    }

    /// The database is what was made durable of it.
    func happen() throws {
        let files = FileManager.default
        try? files.removeItem(atPath: site.database + "-shm")
        // Every run writes its WAL: where that isn't, the library was not loaded.
        #expect(files.fileExists(atPath: folder + "/history.db-wal"))
        // What was never written is as it was.
        for name in try files.contentsOfDirectory(atPath: folder) {
            try? files.removeItem(atPath: site.folder.file(name))
            try files.moveItem(atPath: folder + "/" + name, toPath: site.folder.file(name))
        }
    }
}
