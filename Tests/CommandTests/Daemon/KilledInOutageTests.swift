import Glibc
import Synchronization
import TestSupport
import Testing

/// The daemon ends while an alert fires, and the outage ends under its successor, behind two of Debian's Alertmanagers.
@Suite(.timeLimit(.minutes(5))) struct KilledInOutageTests {
    @Test(arguments: [SIGKILL, SIGTERM])
    func oneOutageIsOneNotificationAndOneResolution(_ signal: Int32) async throws {
        let (folder, receiver, bad) = (try TemporaryFolder(), try AlertmanagerReceiver(), Bad())
        let members = try await Alertmanager.pair(in: folder, receiver: receiver)
        defer { members.forEach { $0.end() } }
        // An alert ends by itself after four of these intervals, and a daemon that restarts on a busy machine takes its time.
        let alerting = "alerting: {alertmanagers: [\(members[0].url), \(members[1].url)], resend_interval: 8s}"
        let site = try Site(paths: ["a", "b"], log: "notice", more: alerting) {
            bad.paths.value.contains($0.path) ? .http(500) : .http(200)
        }
        let first = try RunningProgram(["run", "--config", site.configuration])
        // Both have been good: what fails at once is held until the vantage is known.
        try await site.target.until { $0.count >= 8 }
        bad.paths.change { $0 = ["/a"] }
        try await receiver.told.until { $0.contains(.init(status: "firing", target: "a")) }
        first.send(signal)
        #expect(await first.ended() == (signal == SIGKILL ? -SIGKILL : 0))
        let second = try RunningProgram(["run", "--config", site.configuration])
        let seen = site.target.requests.count
        try await site.target.until { $0.count > seen + 6 }
        bad.paths.change { $0 = [] }
        try await receiver.told.until { $0.contains(.init(status: "resolved", target: "a")) }
        // Another outage after it: what the first still had to say has been said by its end.
        bad.paths.change { $0 = ["/b"] }
        try await receiver.told.until { $0.contains(.init(status: "firing", target: "b")) }
        bad.paths.change { $0 = [] }
        try await receiver.told.until { $0.contains(.init(status: "resolved", target: "b")) }
        second.send(SIGTERM)
        #expect(await second.ended() == 0)
        #expect(receiver.count("firing", "a") == 1)
        #expect(receiver.count("resolved", "a") == 1)
    }

    private final class Bad: Sendable {
        let paths = Watched<Set<String>>([])
    }
}
