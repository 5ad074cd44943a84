import Dispatch
import TestSupport
import Testing

@testable import Curl

/// The engine's thread stands still: the process was stopped, or the machine suspended.
@Suite(.timeLimit(.minutes(5))) struct StandstillTests {
    private static let second: UInt64 = 1_000_000_000

    @Test func aWaitThatWasAskedForIsNone() {
        var standstills = Standstills()
        standstills.check(monotonic: 5 * Self.second, boottime: 5 * Self.second, asked: 0)
        standstills.check(monotonic: 6 * Self.second, boottime: 6 * Self.second, asked: Self.second)
        standstills.check(monotonic: 6 * Self.second + 99_000_000, boottime: 6 * Self.second + 99_000_000, asked: 0)
        #expect(standstills.total == 0)
    }

    @Test func whatAWaitIsLongerThanAskedForIsOne() {
        var standstills = Standstills()
        standstills.check(monotonic: 5 * Self.second, boottime: 5 * Self.second, asked: 0)
        standstills.check(monotonic: 11 * Self.second, boottime: 11 * Self.second, asked: Self.second)
        #expect(standstills.total == 5 * Self.second)
    }

    /// The monotonic clock stands still with the machine.
    @Test func aSuspendedMachineIsOneThoughTheWaitWasNotLonger() {
        var standstills = Standstills()
        standstills.check(monotonic: 5 * Self.second, boottime: 7 * Self.second, asked: 0)
        standstills.check(monotonic: 6 * Self.second, boottime: 68 * Self.second, asked: Self.second)
        #expect(standstills.total == 60 * Self.second)
    }

    @Test func aWaitWithoutEndIsNone() {
        var standstills = Standstills()
        standstills.check(monotonic: 5, boottime: 5, asked: 0)
        standstills.check(monotonic: 500 * Self.second, boottime: 500 * Self.second, asked: .max)
        #expect(standstills.total == 0)
    }

    /// Holds up whatever thread comes to it.
    private final class Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        func wait() { semaphore.wait() }
        func open() { semaphore.signal() }
    }

    @Test func isToldOfTheTransfersThatWereUnderWayAndOfNoOther() async throws {
        let (engine, clock) = (try TransferEngine(), try TransferEngine())
        let (gate, isWedged) = (Gate(), Watched(false))
        // The request itself wedges the engine, so that it does before the timeout on a busy machine, too.
        let wedging = try ConnectionServer { connection in
            connection.readRequest()
            Task(executorPreference: engine.executor) {
                isWedged.change { $0 = true }
                gate.wait()
            }
            connection.waitForClose()
        }
        let silent = try ConnectionServer { $0.waitForClose() }
        let server = try ConnectionServer { $0.answer() }
        async let late = engine.transfer(try request(wedging.url(), timeout: .seconds(2)))
        try await isWedged.until { $0 }
        // Another engine's time passes.
        #expect(await clock.transfer(try request(silent.url(), timeout: .seconds(4))).code == .timedOut)
        gate.open()
        let report = try await late
        #expect(report.code == .timedOut)
        #expect(report.standstill >= .milliseconds(1500) && report.duration <= .seconds(2))
        let after = await engine.transfer(try request(server.url()))
        #expect(after.status == 200 && after.standstill == .zero)
    }
}
