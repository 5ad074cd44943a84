import Testing

@testable import LockOrder

@Suite struct AlarmTests {
    @Test func aRingBeforeTheSleepIsNotLost() async {
        let alarm = Alarm()
        alarm.ring()
        await alarm.sleep(until: nil, clock: ContinuousClock())
    }

    @Test func aRingEndsTheSleepWhereverItComes() async {
        let alarm = Alarm()
        async let sleep: Void = alarm.sleep(until: nil, clock: ContinuousClock())
        alarm.ring()
        await sleep
    }

    @Test func aDeadlineThatHasPassedEndsTheSleep() async {
        await Alarm().sleep(until: .now, clock: ContinuousClock())
    }

    @Test func aCancelledTaskSleepsNoLonger() async {
        let alarm = Alarm()
        let task = Task { await alarm.sleep(until: nil, clock: ContinuousClock()) }
        task.cancel()
        await task.value
    }
}
