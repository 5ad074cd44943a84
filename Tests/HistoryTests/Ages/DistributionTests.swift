import TestSupport
import Testing

@testable import History

@Suite struct DistributionTests {
    /// Half a bucket below 128 buckets to the value itself.
    private let errorMax = 1.0 / 128

    @Test func everyValueIsWithinTheStatedErrorOfItsBucket() {
        var value: Int64 = 1
        while value < 1 << 50 {
            for nearby in [value - 1, value, value + 1, value * 3 / 2] {
                let found = Distribution.value(of: Distribution.bucket(of: nearby))
                #expect(abs(Double(found - nearby)) <= errorMax * Double(nearby), "\(nearby) as \(found)")
            }
            value *= 2
        }
        #expect((0..<128).allSatisfy { Distribution.value(of: Distribution.bucket(of: $0)) == $0 })
        #expect(Distribution.bucket(of: -5) == 0)
    }

    @Test func bucketsFollowOneAnotherWithoutAGap() {
        let buckets = (Int64(0)...100_000).map(Distribution.bucket)
        #expect(zip(buckets, buckets.dropFirst()).allSatisfy { $1 == $0 || $1 == $0 + 1 })
    }

    @Test(arguments: [1, 2, 7, 120, 5000])
    func aPercentileIsTheExactOneWithinTheStatedError(count: Int) {
        var generator = SeededGenerator(state: UInt64(count))
        let values = (0..<count).map { _ in
            Int64.random(in: 1...Int64.random(in: 200...5_000_000, using: &generator), using: &generator)
        }
        var distribution = Distribution()
        for value in values { distribution.add(value) }
        let sorted = values.sorted()
        for share in [0.01, 0.5, 0.95, 0.99, 1] {
            let exact = sorted[max(0, Int((share * Double(count)).rounded(.up)) - 1)]
            let found = distribution.percentile(share) ?? -1
            #expect(abs(Double(found - exact)) <= errorMax * Double(exact), "\(share) of \(count)")
        }
    }

    @Test func mergedTheyAreAsIfTheyHadBeenOne() {
        var generator = SeededGenerator(state: 7)
        var (whole, parts) = (Distribution(), (0..<9).map { _ in Distribution() })
        for _ in 0..<3000 {
            let value = Int64.random(in: 0...2_000_000, using: &generator)
            whole.add(value)
            parts[Int.random(in: 0..<9, using: &generator)].add(value)
        }
        var merged = Distribution()
        for part in parts { merged.merge(part) }
        #expect(merged == whole && merged.count == 3000)
        var sum = DistributionSum()
        for _ in 0..<2 {
            for part in parts {
                var bytes: [UInt8] = []
                part.write(to: &bytes)
                bytes.withUnsafeBytes { sum.add($0) }
            }
            #expect(sum.reset() == whole)
        }
        #expect(sum.reset().isEmpty)
    }

    @Test func comesBackFromItsBytes() {
        var distribution = Distribution()
        for value: Int64 in [0, 0, 1, 127, 128, 129, 81_234, 81_234, 81_900, 1 << 40] { distribution.add(value) }
        var bytes: [UInt8] = []
        distribution.write(to: &bytes)
        #expect(Distribution(bytes) == distribution)
        #expect(bytes.count <= 18)
    }

    @Test func damagedBytesAreReadWithoutATrap() {
        var generator = SeededGenerator(state: 3)
        for length in 0..<400 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = Distribution(bytes).count
            _ = PhaseDistributions(bytes)
            var rollup = Rollup()
            bytes.withUnsafeBytes { rollup.counts.addReasons($0) }
        }
        #expect(Distribution([UInt8](repeating: 0xff, count: 40)).isEmpty)
    }

    @Test func phasesComeBackFromTheirBytes() {
        var phases = PhaseDistributions()
        phases.dns.add(300)
        phases.processing.add(90_000)
        phases.processing.add(91_000)
        var bytes: [UInt8] = []
        phases.write(to: &bytes)
        #expect(PhaseDistributions(bytes) == phases)
    }

    @Test func reasonsComeBackFromTheirText() {
        let reasons = ["timeout": 3, "dns_failed": 1]
        #expect(ResultCounts.text(of: reasons) == #"{"dns_failed":1,"timeout":3}"#)
        var rollup = Rollup()
        for _ in 0..<2 { Array(ResultCounts.text(of: reasons).utf8).withUnsafeBytes { rollup.counts.addReasons($0) } }
        #expect(rollup.counts.reasons == ["timeout": 6, "dns_failed": 2])
    }

    @Test func aMinuteIsCountedAsARollupIs() {
        var generator = SeededGenerator(state: 11)
        var minute = OpenMinute()
        // From some number of results on a part's bytes need two for their length.
        for (number, count) in [0, 1, 2, 3, 60, 1000].enumerated() {
            var rollup = Rollup()
            minute.begin(Int64(number))
            for _ in 0..<count {
                var values = ResultValues(ResultRow(Sample.record()), offset: 0, kind: 0, address: .null)
                values.rest = .random(in: 0...500, using: &generator)
                values.dns = Bool.random(using: &generator) ? .random(in: 0...3000, using: &generator) : nil
                values.processing = .random(in: 0...2_000_000, using: &generator)
                let reason = Int.random(in: 0..<9, using: &generator) == 0 ? "timeout" : nil
                let void: Int64 = Int.random(in: 0..<20, using: &generator) == 0 ? 1 : 0
                let kind = ResultKind(vantage: 1, void: void, status: 1, interval: 30_000)
                minute.add(values, isCounted: kind.isCounted, reason: reason)
                rollup.add(values, kind, reason: reason)
            }
            minute.encode()
            #expect(minute.rollup == rollup, "\(count) results")
        }
    }
}
