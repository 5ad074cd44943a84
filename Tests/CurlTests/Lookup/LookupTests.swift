import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Curl

@Suite struct LookupTests {
    @Test func looksUpALocalNameAndConnectsToIt() async throws {
        let engine = try TransferEngine()
        let server = try ConnectionServer { $0.answer() }
        let report = await engine.transfer(try request("http://localhost:\(server.port)/") { $0.family = .v4 })
        #expect(report.address?.text == "127.0.0.1" && report.resolved.map(\.text) == ["127.0.0.1"])
        #expect(report.status == 200 && report.dns ?? .zero > .zero)
    }

    /// Too long a label for DNS, so that the system's resolver says no without a network.
    @Test func aNameThatDoesNotExistFailsItsLookup() async throws {
        let report = try await TransferEngine().transfer(request("http://no-such-host.invalid/"))
        #expect(report.code == .lookupFailed && report.failure?.detail.isEmpty == false)
        #expect(report.connect == nil && report.address == nil)
    }

    @Test func aNameWithoutTheWantedFamilyHasNoAddress() async throws {
        let engine = try TransferEngine()
        let literal = await engine.transfer(try request("http://127.0.0.1:1/") { $0.family = .v6 })
        #expect(literal.code == .noAddress)
    }

    /// In a process of its own: descriptor 0 is what a resolver that was never set up would close.
    @Test func aLookupClosesNoDescriptorThatIsNotItsOwn() async {
        await #expect(processExitsWith: .success) {
            let null = open("/dev/null", O_RDONLY)
            #expect(null >= 0 && dup2(null, 0) == 0)
            for usesSearch in [true, false] {
                // Each engine has lookup threads of its own.
                let engine = try TransferEngine()
                let server = try ConnectionServer { $0.answer() }
                let wanted = try request("http://localhost:\(server.port)/") {
                    ($0.family, $0.usesSearchDomains) = (.v4, usesSearch)
                }
                for _ in 0..<2 { #expect(await engine.transfer(wanted).status == 200) }
                await engine.shutDown()
                #expect(fcntl(0, F_GETFD) >= 0)
            }
        }
    }

    @Test func aNameWithSearchDomainsAndOneWithoutAreLookedUpApart() async throws {
        let asked = Mutex<[Bool]>([])
        let engine = try TransferEngine { name in
            asked.withLock { $0.append(name.usesSearchDomains) }
            return .addresses(["127.0.0.1"].compactMap { SocketAddress($0) })
        }
        let server = try ConnectionServer { $0.answer() }
        for usesSearch in [true, false, true, false] {
            let wanted = try request("http://a.test:\(server.port)/") {
                ($0.usesSearchDomains, $0.dnsCache) = (usesSearch, .atMost(.seconds(60)))
            }
            #expect(await engine.transfer(wanted).status == 200)
        }
        #expect(asked.withLock { $0 } == [true, false])
    }

    @Test func oneLookupServesAllWhoWaitForTheSameName() async throws {
        let resolver = HeldResolver(["127.0.0.1"])
        let engine = try TransferEngine(resolver: resolver.lookUp)
        let server = try ConnectionServer { $0.answer() }
        let wanted = try request("http://shared.test:\(server.port)/")
        let literal = try request(server.url())
        let reports = await withTaskGroup(of: TransferReport.self) { group in
            for _ in 0..<20 { group.addTask(executorPreference: engine.executor) { await engine.transfer(wanted) } }
            // Transfers begin in the order in which they were submitted: when this one has its answer, the others wait for theirs.
            group.addTask(executorPreference: engine.executor) {
                let report = await engine.transfer(literal)
                resolver.release()
                return report
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(reports.allSatisfy { $0.status == 200 } && resolver.calls == 1)
    }

    @Test func aHungLookupHoldsUpNoOtherName() async throws {
        let resolver = HeldResolver(["127.0.0.1"], holding: "hung.test")
        defer { resolver.release() }
        let engine = try TransferEngine(resolver: resolver.lookUp)
        let server = try ConnectionServer { $0.answer() }
        let hung = await engine.transfer(try request("http://hung.test:\(server.port)/", timeout: .milliseconds(100)))
        #expect(hung.code == .lookupTimedOut && hung.dns ?? .zero >= .milliseconds(100) && hung.duration < .seconds(2))
        let other = await engine.transfer(try request("http://other.test:\(server.port)/"))
        #expect(other.status == 200)
        let again = await engine.transfer(try request("http://hung.test:\(server.port)/", timeout: .milliseconds(50)))
        #expect(again.code == .lookupTimedOut && resolver.calls == 2)
    }

    @Test func noFreeLookupThreadUntilTheDeadlineIsOurFault() async throws {
        let resolver = HeldResolver(["127.0.0.1"], holding: "hung.test")
        let engine = try TransferEngine(maxLookups: 1, resolver: resolver.lookUp)
        let server = try ConnectionServer { $0.answer() }
        async let hung = engine.transfer(try request("http://hung.test:\(server.port)/", timeout: .seconds(60)))
        await until { resolver.calls == 1 }
        let late = await engine.transfer(try request("http://late.test:\(server.port)/", timeout: .milliseconds(100)))
        #expect(late.code == .localFault)
        resolver.release()
        #expect(try await hung.status == 200)
        #expect(await engine.transfer(try request("http://late.test:\(server.port)/")).status == 200)
    }

    @Test func reusesAGoodAnswerOnlyAsLongAsAsked() async throws {
        let resolver = HeldResolver(["127.0.0.1"])
        resolver.release()
        let engine = try TransferEngine(resolver: resolver.lookUp)
        let server = try ConnectionServer { $0.answer() }
        let text = "http://cached.test:\(server.port)/"
        for _ in 0..<3 { _ = await engine.transfer(try request(text) { $0.dnsCache = .atMost(.seconds(60)) }) }
        #expect(resolver.calls == 1)
        _ = await engine.transfer(try request(text))
        #expect(resolver.calls == 2)
    }

    @Test func aFailedAnswerIsNeverReused() async throws {
        let resolver = HeldResolver([])
        resolver.release()
        let engine = try TransferEngine(resolver: resolver.lookUp)
        for _ in 0..<2 {
            let report = await engine.transfer(try request("http://gone.test/") { $0.dnsCache = .atMost(.seconds(60)) })
            #expect(report.code == .lookupFailed)
        }
        #expect(resolver.calls == 2)
    }

    @Test func thePinGoesRoundTheAddresses() async throws {
        let resolver = HeldResolver(["127.0.0.3", "127.0.0.1", "127.0.0.2"])
        resolver.release()
        let engine = try TransferEngine(resolver: resolver.lookUp)
        let server = try ConnectionServer(address: "0.0.0.0") { $0.answer() }
        var seen: [String?] = []
        for pin in 0..<4 {
            let report = await engine.transfer(try request("http://three.test:\(server.port)/") { $0.pin = UInt64(pin) })
            #expect(report.status == 200)
            seen.append(report.address?.text)
        }
        #expect(seen == ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.1"])
    }

    @Test func aDeadAddressIsNotHiddenByALivingOne() async throws {
        let resolver = HeldResolver(["127.0.0.1", "127.0.0.2"])
        resolver.release()
        let engine = try TransferEngine(resolver: resolver.lookUp)
        let server = try ConnectionServer { $0.answer() }
        let dead = await engine.transfer(try request("http://two.test:\(server.port)/") { $0.pin = 1 })
        #expect(dead.code == .connectRefused && dead.address?.text == "127.0.0.2")
    }

    @Test func deniedAddressesAreSkipped() async throws {
        let resolver = HeldResolver(["127.0.0.1", "127.0.0.2"])
        resolver.release()
        let engine = try TransferEngine(resolver: resolver.lookUp)
        let server = try ConnectionServer(address: "0.0.0.0") { $0.answer() }
        for pin in 0..<2 {
            let report = await engine.transfer(
                try request("http://two.test:\(server.port)/") {
                    $0.pin = UInt64(pin)
                    $0.allows = { $0.text != "127.0.0.1" }
                })
            #expect(report.address?.text == "127.0.0.2" && report.resolved.count == 2)
        }
    }

    @Test(arguments: ["127.0.0.1", "0x7f.1", "2130706433", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
    func nothingIsSentWhereAllAddressesAreDenied(_ host: String) async throws {
        let server = try ConnectionServer { $0.answer() }
        let report = try await TransferEngine().transfer(request("http://\(host):\(server.port)/") { $0.allows = { _ in false } })
        #expect(report.code == .addressDenied && report.connect == nil)
        #expect(server.connections == 0)
    }

    @Test func theRuleIsAskedAgainWhereTheSocketIsMade() async throws {
        let server = try ConnectionServer { $0.answer() }
        let questions = Counter()
        let report = try await TransferEngine().transfer(request(server.url()) { $0.allows = { _ in questions.next() == 1 } })
        #expect(report.code == .addressDenied && server.connections == 0)
    }
}

/// Answers every name with the same addresses, `held` ones only once released.
final class HeldResolver: Sendable {
    private struct State {
        var isOpen = false
        var calls = 0
    }

    private let addresses: [SocketAddress]
    private let held: String?
    private let gate = NSCondition()
    private let state = Mutex(State())

    init(_ addresses: [String], holding held: String? = nil) {
        self.addresses = addresses.compactMap { SocketAddress($0) }.sorted()
        self.held = held
    }

    var calls: Int { state.withLock { $0.calls } }

    @Sendable func lookUp(_ name: LookupName) -> LookupAnswer {
        state.withLock { $0.calls += 1 }
        if held == nil || held == name.host {
            gate.lock()
            while !state.withLock({ $0.isOpen }) { gate.wait() }
            gate.unlock()
        }
        return addresses.isEmpty ? .failed(.init(.lookupFailed)) : .addresses(addresses)
    }

    func release() {
        gate.lock()
        state.withLock { $0.isOpen = true }
        gate.broadcast()
        gate.unlock()
    }
}

/// Gives way to others until something is so.
func until(_ condition: @Sendable () -> Bool) async {
    let start = ContinuousClock.now
    while !condition() {
        // For ever would be worse than failing: nobody would learn which test it is.
        guard ContinuousClock.now - start < .seconds(60) else {
            Issue.record("waited a minute in vain")
            return
        }
        await Task.yield()
    }
}
