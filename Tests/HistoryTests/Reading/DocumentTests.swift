import Foundation
import GRDB
import Health
import TestSupport
import Testing

@testable import History

/// The questions of docs/history.md are answered by the database.
@Suite struct DocumentTests {
    private static let queries: [String] = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("docs/history.md").path
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        return text.components(separatedBy: "```sql\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    }()

    @Test func thereAreTenAndEachHasAnAnswer() async throws {
        #expect(Self.queries.count >= 10)
        let folder = try TemporaryFolder()
        let history = try folder.open()
        history.persist(list: [Sample.target("tgt_1"), Sample.target("tgt_2", name: "Other")], client: "client")
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        var judges = [Judge(), Judge()]
        // Half an hour of the last hour but one, with an outage that is over and one that isn't.
        for index in 0..<300 {
            for target in 0..<2 {
                let isBad = (40..<60).contains(index) || (target == 1 && index > 250)
                var result = Sample.result("tgt_\(target + 1)", isBad ? .bad(.timeout) : .good)
                result.startedAt = now + .seconds(30 * (index - 300))
                history.append(Sample.judged(result, by: &judges[target]))
            }
            await history.flush()
        }
        while await history.compact() {}
        for query in Self.queries {
            let rows = try folder.rows(query)
            #expect(!rows.isEmpty || query.contains("start of day"), "\(query)")
        }
        await history.close()
    }
}

extension Sample {
    fileprivate static func result(_ key: String, _ outcome: Outcome) -> ProbeResult { result(key, after: .zero, outcome) }
}
