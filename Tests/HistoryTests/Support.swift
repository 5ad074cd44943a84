import DatabaseFiles
import FoundationEssentials
import GRDB
import Health
import Synchronization
import TestSupport

@testable import History

extension TemporaryFolder {
    var database: String { file("history.db") }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    /// The database as a crash at this moment would leave it.
    func crashImage() throws -> TemporaryFolder {
        let image = try TemporaryFolder()
        for name in ["history.db", "history.db-wal"] { try image.write(try bytes(of: name), to: name) }
        return image
    }

    func open(_ adjust: (inout HistoryOptions) -> Void = { _ in }) throws -> History {
        var options = HistoryOptions(vantage: "here", now: { Sample.start })
        options.busyTimeout = .milliseconds(1)
        adjust(&options)
        return try History.open(path: database, options: options)
    }

    /// Another program's connection.
    func stranger() throws -> DatabaseQueue { try DatabaseQueue(path: database) }

    func rows(_ sql: String) throws -> [Row] { try stranger().read { try Row.fetchAll($0, sql: sql) } }
    func integer(_ sql: String) throws -> Int? { try stranger().read { try Int.fetchOne($0, sql: sql) } }
    func texts(_ sql: String) throws -> [String] { try stranger().read { try String.fetchAll($0, sql: sql) } }
}

enum Sample {
    static let start = Timestamp(milliseconds: 1_700_000_000_000)

    static func identity(_ key: String = "tgt_1", client: String = "client") -> TargetIdentity {
        TargetIdentity(clientID: client, key: key)
    }

    static func target(_ key: String = "tgt_1", client: String = "client", name: String = "Stripe API") -> Target {
        Target(
            identity: identity(key, client: client), name: name, baseURL: "https://api.stripe.com", testPath: "/v1/customers",
            region: "us-east-1", ruleEffect: .deny)
    }

    static func result(
        _ key: String = "tgt_1", after: Duration = .zero, _ outcome: Outcome = .good, void: VoidCause? = nil
    ) -> ProbeResult {
        var facts = ResponseFacts()
        facts.httpStatus = outcome.isSuccess ? 200 : 503
        facts.address = "192.0.2.7"
        return ProbeResult(
            target: identity(key), startedAt: start + after, duration: .microseconds(81_234), lateness: .microseconds(120),
            outcome: outcome, void: void, sentence: "a sentence",
            phases: Phases(
                dns: .microseconds(1001), connect: .microseconds(20_002), tls: nil, processing: .microseconds(50_003),
                transfer: .microseconds(7)), facts: facts)
    }

    static func record(_ key: String = "tgt_1", after: Duration = .zero, _ outcome: Outcome = .good) -> HistoryRecord {
        var judge = Judge()
        return judged(result(key, after: after, outcome), by: &judge)
    }

    /// 400 results of one target, 30 seconds apart, with one outage of ten in them; all moved that can be.
    static func outage(in history: History) async {
        var judge = Judge()
        for index in 0..<400 {
            let outcome: Outcome = (100..<110).contains(index) ? .bad(.timeout) : .good
            history.append(judged(result(after: .seconds(30 * index), outcome), by: &judge))
            await history.flush()
        }
        while await history.compact() {}
    }

    static func judged(_ result: ProbeResult, by judge: inout Judge) -> HistoryRecord {
        let before = judge
        // The first of a target says what its judge believes, as the daemon's does.
        var isNews: Bool { before == Judge() || !judge.isLike(before) }
        let judgement = judge.judge(result, policy: ProbePolicy())
        return HistoryRecord(
            result: result, judgement: judgement, judge: isNews ? judge : nil, interval: .seconds(30))
    }

    /// A run of results of one target, five seconds apart.
    static func run(_ outcomes: [Outcome], by judge: inout Judge) -> [HistoryRecord] {
        outcomes.enumerated().map { index, outcome in
            judged(result(after: .seconds(5 * index), outcome), by: &judge)
        }
    }
}

/// What the writer said, and a stream of it to wait for.
final class EventLog: Sendable {
    private let seen = Mutex<[String]>([])
    let stream: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func note(_ event: HistoryEvent) {
        let word =
            switch event {
            case .committed(let rows, _): "committed \(rows)"
            case .writeFailed(let error): "failed \(error.code.word)"
            case .writeRecovered(let waiting): "recovered \(waiting)"
            case .dropping: "dropping"
            case .clockJumped: "clock jumped"
            case .compactionFailed(let error): "compaction failed \(error.code.word)"
            case .walIsLarge(_, let readers): "wal \(readers.joined(separator: ", "))"
            case .notClosed(let error): "not closed \(error.code.word)"
            case .setAside: "set aside"
            case .reopened: "reopened"
            case .sizeExceeded: "size exceeded"
            case .retentionFailed(let error): "retention failed \(error.code.word)"
            }
        seen.withLock { $0.append(word) }
        continuation.yield(word)
    }

    var words: [String] { seen.withLock { $0 } }
}

extension HistoryError.Code {
    /// Without the names of the types around it.
    var word: String { if case .database(let failure) = self { "\(failure)" } else { "\(self)" } }
}
