import Curl
import Dispatch
import Glibc
import Synchronization
import TestSupport
import Testing

/// A program that was stopped while its probe was under way, as by Ctrl-Z or a suspended machine.
@Suite(.timeLimit(.minutes(5))) struct SuspendedProbeTests {
    @Test func aProbeOverWhichTheProgramWasStoppedIsVoidAndNoTimeout() async throws {
        let (started, stopped) = (Handover(), Watched(false))
        // The request itself stops the program, so that it comes before its timeout on a busy machine, too.
        let site = try Site(paths: ["a"], probe: "{timeout: 1s}") { _ in
            kill(started.take(), SIGSTOP)
            stopped.change { $0 = true }
            return .silence
        }
        let program = try RunningProgram(["probe", site.target.url, "--config", site.configuration, "--json"])
        started.give(program.processID)
        try await stopped.until { $0 }
        // Another clock's time passes meanwhile, longer than the stopped probe may take.
        let silent = try ConnectionServer { $0.waitForClose() }
        let url = try #require(URLParts(silent.url()))
        let passed = try await TransferEngine().transfer(TransferRequest(url: url, timeout: .milliseconds(2500)))
        #expect(passed.failure?.code == .timedOut)
        program.send(SIGCONT)
        #expect(await program.ended() == 70)
        #expect(program.output.text.contains("\"void\":true"))
        #expect(program.output.text.contains("this process stood still for"))
    }
}

/// A number that one thread waits for and another one gives, once.
private final class Handover: Sendable {
    private let number = Mutex<Int32>(0)
    private let isThere = DispatchSemaphore(value: 0)

    func give(_ number: Int32) {
        self.number.withLock { $0 = number }
        isThere.signal()
    }

    func take() -> Int32 {
        isThere.wait()
        return number.withLock { $0 }
    }
}
