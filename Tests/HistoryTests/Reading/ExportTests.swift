import GRDB
import Health
import TestSupport
import Testing

@testable import History

@Suite struct ExportTests {
    let folder: TemporaryFolder
    private let all = Timestamp(milliseconds: .min)..<Timestamp(milliseconds: .max)

    init() throws { folder = try TemporaryFolder() }

    private func fill(_ history: History) async {
        history.persist(list: [Sample.target("tgt_1", name: "a, c"), Sample.target("tgt_2")], client: "client")
        var judges = [Judge(), Judge()]
        for index in 0..<600 {
            for target in 0..<2 {
                let outcome: Outcome = (100..<110).contains(index) ? .bad(.timeout) : .good
                let result = Sample.result("tgt_\(target + 1)", after: .seconds(20 * index), outcome)
                history.append(Sample.judged(result, by: &judges[target]))
            }
            if index % 3 == 0 { await history.flush() }
        }
        await history.flush()
    }

    private func exported(_ view: HistoryExport.View, in span: Range<Timestamp>? = nil) throws -> [String] {
        let export = try HistoryExport(HistoryReader.open(path: folder.database), view, in: span ?? all)
        var lines: [String] = []
        try export.run { rows, progress in
            #expect((0...1).contains(progress))
            lines += rows.map { row in
                zip(export.columns, row).map { column, value in
                    switch value {
                    case .null: "\(column)=NULL"
                    case .integer(let number): "\(column)=\(number)"
                    case .text(let text): "\(column)=\"\(text)\""
                    }
                }.joined(separator: " ")
            }
        }
        return lines
    }

    private func viewed(_ view: HistoryExport.View, _ condition: String = "TRUE") throws -> [String] {
        try folder.rows("SELECT * FROM \(view.rawValue) WHERE \(condition) ORDER BY 1").map { row in
            row.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
        }
    }

    @Test(arguments: HistoryExport.View.allCases)
    func aViewIsExportedAsItIsWhereverTheMoveStands(_ view: HistoryExport.View) async throws {
        let history = try folder.open { $0.compactionRows = 100 }
        await fill(history)
        var steps = 0
        repeat {
            if steps % 6 == 0 {
                let (exported, viewed) = (try exported(view).sorted(), try viewed(view).sorted())
                for (mine, theirs) in zip(exported, viewed) { #expect(mine == theirs) }
                #expect(exported.count == viewed.count)
            }
            steps += 1
        } while await history.compact()
        #expect(try exported(view).sorted() == viewed(view).sorted())
        #expect(try exported(view).count > 0)
        await history.close()
    }

    @Test func progressGrowsToTheEnd() async throws {
        let history = try folder.open()
        await fill(history)
        var steps: [Double] = []
        try HistoryExport(HistoryReader.open(path: folder.database), .results, in: all).run { steps.append($1) }
        #expect(steps.first == 0 && steps == steps.sorted() && steps.last ?? 0 > 0.9)
        await history.close()
    }

    @Test func onlyWhatIsInTheSpanIsExported() async throws {
        let history = try folder.open()
        await fill(history)
        while await history.compact() {}
        let span = Sample.start + .seconds(3000)..<Sample.start + .seconds(9000)
        let condition = { (column: String) in
            "\(column) >= \(span.lowerBound.milliseconds) AND \(column) < \(span.upperBound.milliseconds)"
        }
        #expect(try exported(.results, in: span).sorted() == viewed(.results, condition("started_at_ms")).sorted())
        #expect(try exported(.availability, in: span).sorted() == viewed(.availability, condition("start_ms")).sorted())
        #expect(try exported(.incidents, in: span).isEmpty)
        await history.close()
    }
}

extension Sample {
    fileprivate static func result(_ key: String, after time: Duration, _ outcome: Outcome) -> ProbeResult {
        result(key, after: time, outcome, void: nil)
    }
}
