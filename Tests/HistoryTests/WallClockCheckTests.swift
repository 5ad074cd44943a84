import Health
import Testing

@testable import History

@Suite struct WallClockCheckTests {
    private func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + seconds * 1000) }

    @Test func aSteadyClockIsBelieved() {
        var watch = WallClockCheck()
        for minute in 0..<100 {
            #expect(watch.check(wall: at(Int64(minute) * 60 + Int64(minute % 5)), elapsed: .seconds(minute * 60)) == nil)
            #expect(watch.isSteady)
        }
    }

    @Test(arguments: [864_000, -864_000])
    func aJumpIsSaidAndDistrustedForAnHour(jump: Int64) {
        var watch = WallClockCheck()
        _ = watch.check(wall: at(0), elapsed: .zero)
        #expect(watch.check(wall: at(60 + jump), elapsed: .seconds(60)) == .seconds(jump))
        #expect(!watch.isSteady)
        #expect(watch.check(wall: at(120 + jump), elapsed: .seconds(120)) == nil)
        #expect(!watch.isSteady)
        _ = watch.check(wall: at(3661 + jump), elapsed: .seconds(3661))
        #expect(watch.isSteady)
    }

    @Test func jumpingBackIsAJumpToo() {
        var watch = WallClockCheck()
        _ = watch.check(wall: at(0), elapsed: .zero)
        _ = watch.check(wall: at(864_060), elapsed: .seconds(60))
        #expect(watch.check(wall: at(120), elapsed: .seconds(120)) == .seconds(-864_000))
        #expect(!watch.isSteady)
    }
}
