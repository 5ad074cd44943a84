import Testing

@testable import Curl

/// All times are in nanoseconds.
@Suite struct EngineLoadTests {
    @Test func theTimeBetweenTwoWaitsIsBusy() {
        let meter = LoadMeter()
        meter.turnEnds(at: 100, waiting: 0)
        meter.turnBegins(at: 1_000)
        meter.turnEnds(at: 1_300, waiting: 0)
        meter.turnBegins(at: 5_000)
        meter.turnEnds(at: 5_100, waiting: 0)
        #expect(meter.reading(at: 9_000).busy == .nanoseconds(400))
    }

    @Test func aTurnThatIsUnderWayCounts() {
        let meter = LoadMeter()
        meter.turnBegins(at: 1_000)
        let load = meter.reading(at: 51_000)
        #expect(load.busy == .nanoseconds(50_000))
        #expect(load.lag == .nanoseconds(50_000))
    }

    @Test func theLagOfALongTurnWearsOff() {
        let meter = LoadMeter()
        meter.turnBegins(at: 0 + 1)
        meter.turnEnds(at: 100_001, waiting: 0)
        #expect(meter.reading(at: 100_001).lag == .nanoseconds(100_000))
        for turn in 1...40 {
            meter.turnBegins(at: UInt64(200_000 + turn * 1_000))
            meter.turnEnds(at: UInt64(200_100 + turn * 1_000), waiting: 0)
        }
        #expect(meter.reading(at: 300_000).lag < .nanoseconds(200))
    }

    @Test func whatWaitsToBeginIsTold() {
        let meter = LoadMeter()
        meter.turnEnds(at: 1, waiting: 7)
        #expect(meter.reading(at: 2).waiting == 7)
    }

    /// What keeps the thread from its sockets is seen while it lasts.
    @Test func anEngineWhoseThreadIsKeptBusySaysSo() async throws {
        let engine = try TransferEngine()
        let before = engine.load
        let load = await withTaskExecutorPreference(engine.executor) {
            let end = ContinuousClock.now + .milliseconds(30)
            while ContinuousClock.now < end {}
            return engine.load
        }
        #expect(load.busy - before.busy >= .milliseconds(30))
        #expect(load.lag >= .milliseconds(30))
    }
}
