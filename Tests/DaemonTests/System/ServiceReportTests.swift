import Curl
import Dispatch
import Foundation
import Health
import Logging
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Daemon

/// What a service manager is told, over real sockets.
@Suite(.timeLimit(.minutes(5))) struct ServiceReportTests {
    private func settings(_ folder: TemporaryFolder, api: ScriptedAPI) -> Settings { testSettings(folder, api: api.server.url) }

    @Test func pathsAndAbstractNamesAreToldAndOthersAreNot() async throws {
        let folder = try TemporaryFolder()
        for address in [folder.file("notify"), "@rangefinder-test-\(UUID().uuidString)"] {
            let socket = try DatagramSocket(at: address)
            let manager = try #require(ServiceManager { $0 == "NOTIFY_SOCKET" ? address : nil })
            manager.tell(.ready, .status("two\nlines"))
            try await socket.received.until { $0.count == 1 }
            #expect(socket.received.value == ["READY=1\nSTATUS=two\\u{a}lines"])
            #expect(manager.watchdog == nil)
        }
        for address in ["", "vsock:2:1", "relative", "/" + String(repeating: "x", count: 200)] {
            #expect(ServiceManager { $0 == "NOTIFY_SOCKET" ? address : nil } == nil)
        }
        #expect(ServiceManager { _ in nil } == nil)
    }

    @Test func aManagerThatDoesNotReadKeepsNobodyWaiting() throws {
        let folder = try TemporaryFolder()
        let address = folder.file("notify")
        let socket = try DatagramSocket(at: address, reads: false)
        let manager = try #require(ServiceManager { $0 == "NOTIFY_SOCKET" ? address : nil })
        let taken = (0..<2000).map { _ in manager.tell(.ready) }
        #expect(taken.first == true && taken.last == false)
        withExtendedLifetime(socket) {}
    }

    @Test(arguments: [("", 30_000_000), ("1", nil), ("own", 30_000_000)])
    func theWatchdogMayBeSomebodyElses(pid: String, microseconds: Int64?) {
        let environment = [
            "NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": pid == "own" ? "\(getpid())" : pid,
        ]
        let manager = ServiceManager { name in environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        #expect(manager?.watchdog == microseconds.map { .microseconds($0) })
    }

    @Test func itIsReadyWhenTheFirstSyncHasEndedBadlyAndSaysWhy() async throws {
        let (folder, gate) = (try TemporaryFolder(), Gate())
        let api = try LoopbackServer { _ in
            gate.pass()
            return .http(503)
        }
        let socket = try DatagramSocket(at: folder.file("notify"))
        try await RunningDaemon.run(
            testSettings(folder, api: api.url), level: .notice, environment: ["NOTIFY_SOCKET": folder.file("notify")]
        ) { running in
            try await socket.received.until { $0.contains { $0.hasPrefix("STATUS=no targets") } }
            #expect(!socket.received.value.contains("READY=1"))
            gate.open()
            try await socket.received.until { $0.contains("READY=1") }
            try await socket.received.until { $0.contains { $0.contains("no targets") && $0.contains("503") } }
        }
        try await socket.received.until { $0.last == "STOPPING=1" }
    }

    @Test func aReloadIsToldAndWhatItWatchesToo() async throws {
        let folder = try TemporaryFolder()
        let target = try LoopbackServer { _ in .http(200) }
        let api = try ScriptedAPI(list([record("a", url: target.url)]))
        let file = try folder.write("vantage: test\n", to: "rangefinder.yaml")
        let socket = try DatagramSocket(at: folder.file("notify"))
        try await RunningDaemon.run(
            settings(folder, api: api), configuration: file, level: .notice,
            environment: ["NOTIFY_SOCKET": folder.file("notify")]
        ) { running in
            try await socket.received.until { $0.contains("STATUS=1 target: 1 up") }
            #expect(socket.received.value.filter { $0 == "READY=1" }.count == 1)
            try folder.write("nonsense: true\n", to: "rangefinder.yaml")
            _ = try await running.post("/-/reload")
            try await socket.received.until { $0.filter { $0 == "READY=1" }.count == 2 }
            let reloading = try #require(socket.received.value.first { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") })
            #expect(Int64(reloading.split(separator: "=").last ?? "").map { $0 > 0 } == true)
        }
    }

    /// The thread that starts the probes stands still, and everything else goes on.
    @Test func aDaemonWhoseProbingIsWedgedIsNotReadyAndFeedsNobody() async throws {
        let folder = try TemporaryFolder()
        let (target, beats) = (try LoopbackServer { _ in .http(200) }, try LoopbackServer { _ in .http(200) })
        let api = try ScriptedAPI(list([record("a", url: target.url)]))
        var settings = settings(folder, api: api)
        settings.probe.interval = .seconds(1)
        settings.probe.timeout = .seconds(1)
        settings.limits.threads = 1
        settings.alerting.heartbeat = .init(url: Secret(beats.url + "/beat"), interval: .milliseconds(500))
        let socket = try DatagramSocket(at: folder.file("notify"))
        let environment = ["NOTIFY_SOCKET": folder.file("notify"), "WATCHDOG_USEC": "2000000"]
        try await RunningDaemon.run(settings, level: .notice, environment: environment) { running in
            func pings() -> Int { socket.received.value.count { $0 == "WATCHDOG=1" } }
            try await beats.until { $0.count >= 2 }
            try await socket.received.until { $0.count { $0 == "WATCHDOG=1" } >= 3 }
            let (wedge, engine) = (DispatchSemaphore(value: 0), running.daemon.parts.engines.probes[0].executor)
            let wedged = Task(executorPreference: engine) { Self.stand(wedge) }
            while try await running.get("/-/ready").status == 200 { try Task.checkCancellation() }
            #expect(try await running.get("/-/ready").body.contains("overdue by three"))
            // What pages say of the daemon is looked for once a second.
            while !(try await running.get("/")).body.contains("Probing has stopped") { try Task.checkCancellation() }
            for path in ["/targets", "/targets/\(documentedClient)/a", "/incidents", "/certificates", "/daemon", "/wall"] {
                let page = try await running.get(path).body
                #expect(page.contains("Probing has stopped") && page.contains("What you see here is old."), "\(path)")
            }
            #expect(await !running.daemon.parts.readiness.problems().isEmpty)
            let before = (beats.requests.count, pings())
            // Two naps of the heartbeat and of the report, by a clock that isn't theirs: the scrapes of a page.
            let start = ContinuousClock.now
            while start.duration(to: .now) < .seconds(2) { _ = try await running.get("/metrics") }
            #expect((beats.requests.count, pings()) == before)
            wedge.signal()
            await wedged.value
            try await beats.until { $0.count > before.0 }
            try await socket.received.until { $0.count { $0 == "WATCHDOG=1" } > before.1 }
            while try await running.get("/-/ready").status != 200 { try Task.checkCancellation() }
        }
    }

    private static func stand(_ wedge: DispatchSemaphore) { wedge.wait() }

    /// Keeps those who pass waiting until it opens.
    private final class Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)

        func pass() {
            semaphore.wait()
            semaphore.signal()
        }

        func open() { semaphore.signal() }
    }
}

@Suite struct ProgressTests {
    @Test func turnsAndFewOverdueAreProgress() {
        var progress = ServiceReport.Progress()
        let looks = [
            (1, 0, 0, 0), (1, 0, 0, 0), (2, 0, 4, 9), (3, 0, 5, 10), (4, 0, 1, 1), (5, 3, 10, 10), (6, 3, 10, 10), (6, 4, 0, 10),
        ]
        let found = looks.map { progress.check(turns: [$0], ended: $1, overdue: $2, of: $3, longest: .zero, now: .zero) }
        #expect(found == [true, false, true, false, false, true, false, false])
    }

    @Test func aLaneThatStandsStillIsNoProgressHoweverOftenAnotherTurns() {
        var progress = ServiceReport.Progress()
        let looks = [[9, 50], [10, 51], [11, 51], [12, 52]]
        let found = looks.map { progress.check(turns: $0, ended: 1, overdue: 0, of: 2, longest: .zero, now: .zero) }
        #expect(found == [true, true, false, true])
    }

    @Test func aProbeThatTakesItsTimeIsNoStandstill() {
        var progress = ServiceReport.Progress()
        let looks = [(0, 0), (1, 30), (1, 60), (1, 92), (1, 93), (2, 200), (2, 261), (2, 263)]
        let found = looks.enumerated().map { turn, look in
            progress.check(turns: [turn], ended: look.0, overdue: 9, of: 10, longest: .seconds(62), now: .seconds(look.1))
        }
        #expect(found == [true, true, true, false, false, true, true, false])
    }
}
