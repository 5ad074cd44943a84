import Health
import TestSupport
import Testing

@testable import History

/// What the pages ask for.
@Suite struct PageModelTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Three and a third hours of one target with one outage, all moved that can be; another one has incidents alone.
    private func reader() async throws -> HistoryReader {
        let history = try folder.open()
        history.persist(list: [Sample.target(), Sample.target("tgt_2", name: "Zebra")], client: "client")
        await Sample.outage(in: history)
        await history.close()
        return try HistoryReader.open(path: folder.database)
    }

    @Test func theNewestResultsComeFirst() async throws {
        let reader = try await reader()
        let newest = try reader.newestResults(of: Sample.identity(), limit: 50)
        let all = try reader.results(of: Sample.identity(), in: Sample.start..<Sample.start + .seconds(12_000))
        #expect(all.count == 400 && newest == Array(all.reversed().prefix(50)))
        #expect(try reader.newestResults(of: Sample.identity("nobody"), limit: 50).isEmpty)
        #expect(try reader.newestResults(of: Sample.identity(), limit: 1000).count == 400)
    }

    @Test func theLatencyOfAWindowIsThatOfItsSteps() async throws {
        let reader = try await reader()
        let span = Sample.start + .seconds(-3600)..<Sample.start + .seconds(14_400)
        let found = try #require(try reader.latency(of: Sample.identity(), in: span, resolution: .seconds(300)))
        #expect(found.whole.probes == 400 && found.whole.failures == 10)
        #expect(found.steps.reduce(0) { $0 + $1.probes } == 400)
        #expect(found.whole.percentile(0.5) == .microseconds(81_234))
        #expect(try reader.latency(of: Sample.identity("nobody"), in: span, resolution: .seconds(300)) == nil)
    }

    @Test func theHoursThatAreOverAreSummedAsTheViewHasThem() async throws {
        let reader = try await reader()
        let end = try reader.hoursAreWholeBefore()
        let first = Sample.start.milliseconds.flooredQuotient(by: 3_600_000)
        #expect(end > first)
        var numbers: [TargetIdentity: Int64] = [:]
        try reader.eachTargetNumber { numbers[$1] = $0 }
        let number = try #require(numbers[Sample.identity()])
        var (up, down) = (Duration.zero, Duration.zero)
        for hour in first..<end {
            for row in try reader.hourSums(hour, { $0 }) where row.target == number {
                up += row.up
                down += row.down
                #expect(row.p95 == .microseconds(81_234))
            }
        }
        let hours = "start_ms < \(end * 3_600_000)"
        #expect(
            up.wholeMilliseconds == Int64(try folder.integer("SELECT sum(up_ms) FROM availability_history WHERE \(hours)") ?? -1))
        #expect(
            down.wholeMilliseconds
                == Int64(try folder.integer("SELECT sum(down_ms) FROM availability_history WHERE \(hours)") ?? -1))
        #expect(down > .zero)
        let own = try reader.sums(ofTarget: number, days: 0..<0, hours: first..<end)
        #expect(own.reduce(.zero) { $0 + $1.row.down } == down && Set(own.map(\.day)).contains(first.flooredQuotient(by: 24)))
    }

    @Test func incidentsAreFoundByWhatOneAsksFor() async throws {
        let reader = try await reader()
        func found(_ adjust: (inout IncidentFilter) -> Void) throws -> Int {
            var filter = IncidentFilter()
            adjust(&filter)
            return try reader.incidents(filter).count
        }
        #expect(try found { _ in } == 1)
        #expect(try found { $0.state = .open } == 0 && found { $0.state = .over } == 1)
        #expect(try found { $0.reason = .timeout } == 1 && found { $0.reason = .dnsFailed } == 0)
        #expect(try found { $0.region = "us-east-1" } == 1 && found { $0.region = "eu" } == 0)
        #expect(try found { $0.text = "STRIPE" } == 1 && found { $0.text = "zebra" } == 0)
        #expect(try found { $0.target = Sample.identity("tgt_2") } == 0)
        let outage = Sample.start + .seconds(3000)
        #expect(try found { $0.during = outage + .seconds(60)..<outage + .seconds(61) } == 1)
        #expect(try found { $0.during = outage + .seconds(-60)..<outage } == 0)
        #expect(try found { $0.before = 1 } == 0 && found { $0.after = outage + .seconds(7200) } == 0)
        #expect(try reader.openIncidents() == 0)
        #expect(try reader.incidents(begunIn: outage + .seconds(-1)...outage + .seconds(1)).map(\.row.id) == [1])
        #expect(try reader.newestDetails(limit: 5).first?.uuid != nil)
    }

    /// Nobody finds a query's value letter by letter.
    @Test func aTextIsNotLookedForInTheQueryOfAURL() async throws {
        let history = try folder.open()
        var target = Sample.target()
        (target.baseURL, target.testPath) = ("https://api.stripe.com/?key=sesame", "/x?token=sesame")
        history.persist(list: [target], client: "client")
        await Sample.outage(in: history)
        await history.close()
        let reader = try HistoryReader.open(path: folder.database)
        var filter = IncidentFilter()
        filter.text = "sesame"
        #expect(try reader.incidents(filter).isEmpty)
        filter.text = "api.stripe"
        #expect(try reader.incidents(filter).count == 1)
    }
}
