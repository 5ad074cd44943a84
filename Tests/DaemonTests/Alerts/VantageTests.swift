import Foundation
import Health
import Logging
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Daemon

/// Two hundred targets; with `scripts/test --long` a thousand, and the uplink is cut for two minutes.
private let isLong = ProcessInfo.processInfo.environment["RANGEFINDER_LONG"] != nil
private let perHost = isLong ? 100 : 20
private let (ofAll, ofOneHost) = (10 * perHost, perHost)

/// Targets of ten hosts in ten networks behind an uplink that is cut, over real sockets.
@Suite(.timeLimit(.minutes(6))) struct VantageTests {
    private final class Uplink: Sendable {
        let isCut = Mutex(false)
        /// The host that really fails.
        let down = Mutex<Int?>(nil)
    }

    private func hosts(behind uplink: Uplink) throws -> [LoopbackServer] {
        try (0..<10).map { host in
            try LoopbackServer(address: "127.\(100 + host).0.1") { _ in
                if uplink.isCut.withLock(\.self) { return .reset }
                return uplink.down.withLock { $0 == host } ? .http(500) : .http(200)
            }
        }
    }

    private func records(_ hosts: [LoopbackServer]) -> [String] {
        hosts.enumerated().flatMap { host, server in
            (0..<perHost).map { record("t\(host)-\($0)", name: "h\(host)-\($0)", url: server.url, path: "/\($0)") }
        }
    }

    @Test func aCutUplinkIsOneAlertAndAnOutageMeanwhileComesThroughAfterIt() async throws {
        let (folder, receiver, uplink) = (try TemporaryFolder(), try AlertReceiver(), Uplink())
        let hosts = try hosts(behind: uplink)
        let api = try ScriptedAPI(list(records(hosts)))
        var settings = testSettings(folder, api: api.server.url)
        settings.alerting.alertmanagers = [receiver.url]
        let bound = settings.probe.detectionBound
        try await RunningDaemon.run(settings, level: .notice) { running in
            for host in hosts { try await host.until { $0.count >= 2 * perHost } }
            uplink.isCut.withLock { $0 = true }
            uplink.down.withLock { $0 = 3 }
            try await receiver.seen.until { $0.contains { $0.name == "VantageUnhealthy" && $0.isFiring } }
            #expect(try await running.metric("rangefinder_vantage_healthy") == 0)
            // Long enough for all of them to be down.
            while try await running.get("/metrics").body.split(separator: "\n").count(where: {
                $0.hasPrefix("rangefinder_target_held") && $0.hasSuffix(" 1")
            }) < ofAll { try Task.checkCancellation() }
            if isLong {
                let counts = hosts.map(\.requests.count)
                // A probe of each of them every two seconds.
                for (host, count) in zip(hosts, counts) { try await host.until { $0.count >= count + 60 * perHost } }
            }
            #expect(receiver.firstFiring("TargetDown").isEmpty)
            uplink.isCut.withLock { $0 = false }
            try await running.log.until("the vantage is healthy again")
            let healthyAt = ContinuousClock.now
            try await receiver.seen.until { seen in
                Set(seen.filter { $0.name == "TargetDown" && $0.isFiring }.map(\.target)).count == ofOneHost
            }
            for (target, at) in receiver.firstFiring("TargetDown") {
                #expect(target.hasPrefix("h3-"))
                #expect(healthyAt.duration(to: at) <= bound)
            }
            try await receiver.seen.until { $0.contains { $0.name == "VantageUnhealthy" && !$0.isFiring } }
            // The others answer again, and nobody ever heard of them.
            while try await running.get("/metrics").body.split(separator: "\n").count(where: {
                $0.hasPrefix("rangefinder_target_status_code") && $0.hasSuffix(" 1")
            }) < ofAll - ofOneHost { try Task.checkCancellation() }
            #expect(receiver.firstFiring("TargetDown").count == ofOneHost)
            #expect(receiver.seen.value.filter { $0.name == "VantageUnhealthy" && $0.isFiring }.count >= 1)
            #expect(try await running.metric("rangefinder_detection_exceptions_total{reason=\"vantage_doubt\"}") == Double(ofAll))
        }
    }

    /// Of ten hosts one fails, and none of the others is due for a minute: some are asked at once, and the outage is announced.
    @Test func anOutageDoesNotWaitForTheTurnOfOthers() async throws {
        let (folder, receiver, uplink) = (try TemporaryFolder(), try AlertReceiver(), Uplink())
        let hosts = try hosts(behind: uplink)
        let api = try ScriptedAPI(list(hosts.enumerated().map { record("t\($0)", name: "t\($0)", url: $1.url) }))
        var settings = testSettings(folder, api: api.server.url)
        (settings.probe.interval, settings.probe.fall) = (.seconds(60), 1)
        settings.alerting.alertmanagers = [receiver.url]
        uplink.down.withLock { $0 = 4 }
        try await RunningDaemon.run(settings, level: .notice) { running in
            try await receiver.seen.until { $0.contains { $0.name == "TargetDown" && $0.isFiring } }
            #expect(receiver.firstFiring("TargetDown").map(\.0) == ["t4"])
            #expect(receiver.firstFiring("VantageUnhealthy").isEmpty)
        }
    }

    @Test func withACanaryThatAnswersNothingIsHeld() async throws {
        let (folder, receiver, uplink) = (try TemporaryFolder(), try AlertReceiver(), Uplink())
        let hosts = try hosts(behind: uplink)
        let (canary, dead) = (try LoopbackServer { _ in .http(404) }, try ClosedPort())
        let api = try ScriptedAPI(list(records(hosts)))
        var settings = testSettings(folder, api: api.server.url)
        settings.alerting.alertmanagers = [receiver.url]
        settings.vantage.canaries = [canary.url, "http://127.0.0.1:\(dead.port)/"]
        try await RunningDaemon.run(settings, level: .notice) { running in
            for host in hosts { try await host.until { $0.count >= perHost } }
            uplink.isCut.withLock { $0 = true }
            try await receiver.seen.until { seen in
                Set(seen.filter { $0.name == "TargetDown" && $0.isFiring }.map(\.target)).count == ofAll
            }
            #expect(receiver.firstFiring("VantageUnhealthy").isEmpty)
            #expect(canary.requests.count >= 2)
        }
    }

    @Test func whenAllCanariesFailTheVantageIsInDoubt() async throws {
        let (folder, receiver) = (try TemporaryFolder(), try AlertReceiver())
        let target = try LoopbackServer { _ in .http(200) }
        let dead = [try ClosedPort(), try ClosedPort()]
        let api = try ScriptedAPI(list([record("t", url: target.url)]))
        var settings = testSettings(folder, api: api.server.url)
        settings.alerting.alertmanagers = [receiver.url]
        settings.vantage.canaries = dead.map { "http://127.0.0.1:\($0.port)/" }
        try await RunningDaemon.run(settings, level: .notice) { running in
            try await receiver.seen.until { $0.contains { $0.name == "VantageUnhealthy" && $0.isFiring } }
            try await running.log.until("the vantage is unhealthy: all 2 canaries fail")
            #expect(try await running.metric("rangefinder_vantage_healthy") == 0)
        }
    }
}
