import Health
import Testing

/// Hosts that answer and fail before the judge of the vantage, by a clock that stands still until it is moved.
private struct Vantage {
    var judge = VantageJudge()
    var now = ContinuousClock.now
    var wall = Timestamp(milliseconds: 1_700_000_000_000)
    private var ids: [HostTable.ID] = []
    private var isBad: [Bool] = []

    /// - Parameter networks: how many the hosts are spread over.
    init(hosts: Int, networks: Int = 8) {
        for host in 0..<hosts {
            ids.append(judge.add(host: "h\(host).n\(host % networks).example", isBad: false, interval: .seconds(30)))
            isBad.append(false)
        }
        for host in 0..<hosts { result(host, isBad: false, address: "20.\(host % networks).0.\(host % 200)") }
    }

    mutating func result(_ host: Int, isBad bad: Bool, address: String? = nil) {
        judge.observe(host: ids[host], wasBad: isBad[host], isBad: bad, interval: .seconds(30), address: address, at: now)
        isBad[host] = bad
    }

    mutating func pass(_ seconds: Double) {
        now = now.advanced(by: .milliseconds(Int(seconds * 1000)))
        wall = wall + .milliseconds(Int(seconds * 1000))
        judge.weigh(at: now)
    }
}

@Suite struct VantageJudgeTests {
    @Test func halfOfTheHostsInOneIntervalAreADoubt() {
        var vantage = Vantage(hosts: 20)
        for host in 0..<9 { vantage.pass(1); vantage.result(host, isBad: true) }
        #expect(vantage.judge.standing.doubt == nil)
        #expect(vantage.judge.standing.trust(.outside).isSuspicious)
        vantage.result(9, isBad: true)
        #expect(vantage.judge.standing.doubt?.cause == .hosts(bad: 10, of: 20))
        #expect(!vantage.judge.standing.trust(.outside).isSuspicious)
    }

    @Test func hostsThatFailOneAfterAnotherForLongerThanAnIntervalAreNone() {
        var vantage = Vantage(hosts: 20)
        for host in 0..<15 {
            vantage.pass(5)
            vantage.result(host, isBad: true)
            vantage.result(15 + host % 5, isBad: false)
        }
        #expect(vantage.judge.standing.doubt == nil)
    }

    @Test func oneThatTurnsGoodMeanwhileSpeaksForTheVantage() {
        var vantage = Vantage(hosts: 20)
        vantage.pass(1)
        vantage.result(19, isBad: true)
        for host in 0..<8 { vantage.result(host, isBad: true) }
        #expect(vantage.judge.standing.trust(.outside).isSuspicious)
        vantage.result(19, isBad: false)
        #expect(!vantage.judge.standing.trust(.outside).isSuspicious)
        for host in 8..<11 { vantage.result(host, isBad: true) }
        #expect(vantage.judge.standing.doubt == nil)
    }

    @Test func oneThatStaysGoodEndsASuspicionAndNotADoubt() {
        var vantage = Vantage(hosts: 20)
        for host in 0..<6 { vantage.pass(0.1); vantage.result(host, isBad: true) }
        #expect(vantage.judge.standing.trust(.outside).isSuspicious)
        vantage.pass(0.1)
        vantage.result(15, isBad: false)
        #expect(!vantage.judge.standing.trust(.outside).isSuspicious)
        for host in 6..<10 { vantage.pass(0.1); vantage.result(host, isBad: true) }
        #expect(vantage.judge.standing.doubt != nil)
        vantage.result(15, isBad: false)
        #expect(vantage.judge.standing.doubt != nil)
    }

    @Test func aFirstFailureIsSuspiciousUntilAnythingAnswers() {
        var vantage = Vantage(hosts: 12)
        vantage.result(0, isBad: true)
        #expect(vantage.judge.standing.trust(.outside).isSuspicious)
        vantage.pass(2.5)
        #expect(vantage.judge.standing.trust(.outside).isSuspicious)
        vantage.result(1, isBad: false)
        #expect(!vantage.judge.standing.trust(.outside).isSuspicious)
    }

    @Test func anAnswerFromInsideVouchesForNothingOutsideAndTheOtherWayRound() throws {
        var vantage = Vantage(hosts: 10)
        let block = HostClass.inside(try #require(CIDR("10.0.0.0/8")))
        let near = (0..<8).map { vantage.judge.add(host: "10.\($0).0.1", isBad: false, interval: .seconds(30)) }
        #expect(near.allSatisfy { vantage.judge.hostClass(of: $0) == block })
        let answer = { (vantage: inout Vantage, host: HostTable.ID, isBad: Bool) in
            vantage.judge.observe(host: host, wasBad: false, isBad: isBad, interval: .seconds(30), address: nil, at: vantage.now)
        }
        for host in 0..<5 {
            vantage.pass(0.1)
            vantage.result(host, isBad: true)
            answer(&vantage, near[0], false)
        }
        #expect(vantage.judge.standing.trust(.outside).isDoubtful)
        #expect(!vantage.judge.standing.trust(block).isDoubtful && !vantage.judge.standing.trust(block).isSuspicious)
        for host in 0..<10 { vantage.result(host, isBad: false) }
        #expect(!vantage.judge.standing.trust(.outside).isDoubtful)
        for host in near { answer(&vantage, host, true) }
        #expect(vantage.judge.standing.trust(block).isDoubtful && !vantage.judge.standing.trust(.outside).isDoubtful)
        #expect(vantage.judge.standing.doubt?.cause == .hosts(bad: 8, of: 8, block))
        #expect(vantage.judge.standing.doubt?.cause.sentence == "8 of 8 hosts in 10.0.0.0/8 turned bad at once")
    }

    @Test func aNameBelongsToTheClassOfTheFirstAddressThatAnsweredAndANetworkOfOursIsNear() throws {
        var judge = VantageJudge()
        let own = try #require(IPAddress("198.51.100.7"))
        judge.ownNetworks = [HostClass.provider(of: own)]
        let near = HostClass.inside(try #require(CIDR("198.51.0.0/16")))
        let host = judge.add(host: "near.example", isBad: false, interval: .seconds(30))
        #expect(judge.hostClass(of: host) == .outside)
        judge.observe(host: host, wasBad: false, isBad: true, interval: .seconds(30), address: "192.168.1.1", at: .now)
        #expect(judge.hostClass(of: host) == .outside)
        judge.observe(host: host, wasBad: true, isBad: false, interval: .seconds(30), address: "198.51.7.7", at: .now)
        #expect(judge.hostClass(of: host) == near)
        judge.observe(host: host, wasBad: false, isBad: false, interval: .seconds(30), address: "20.0.0.1", at: .now)
        #expect(judge.hostClass(of: host) == near)
    }

    /// After a restart: hosts that have been dead for years are no news.
    @Test func whatNeverAnsweredCountsOnlyUntilSomethingDoes() {
        var judge = VantageJudge()
        let now = ContinuousClock.now
        let interval = Duration.seconds(30)
        let living = (0..<6).map { judge.add(host: "h\($0).example", isBad: false, interval: interval) }
        let dead = (0..<12).map { judge.add(host: "d\($0).corp", isBad: false, interval: interval) }
        func see(_ host: HostTable.ID, _ address: String?, wasBad: Bool = false) {
            judge.observe(host: host, wasBad: wasBad, isBad: address == nil, interval: interval, address: address, at: now)
        }
        for host in dead { see(host, nil) }
        #expect(judge.standing.doubt?.cause == .hosts(bad: 12, of: 18))
        see(living[0], "20.0.0.1")
        #expect(judge.standing.doubt == nil)
        for host in living.dropFirst() { see(host, "20.\(host).0.1") }
        #expect(judge.standing.doubt == nil && !judge.standing.trust(.outside).isSuspicious)
    }

    /// Few of each class, and all of them are cut off.
    @Test func whatIsCutOffWholeIsDoubtedWhateverItsClasses() {
        var judge = VantageJudge()
        let now = ContinuousClock.now
        let names = (0..<3).map { "20.\($0).0.1" } + (0..<6).map { "192.168.1.\($0)" }
        let hosts = names.map { judge.add(host: $0, isBad: false, interval: .seconds(30)) }
        func see(_ index: Int, isBad: Bool, wasBad: Bool) {
            judge.observe(
                host: hosts[index], wasBad: wasBad, isBad: isBad, interval: .seconds(30), address: names[index], at: now)
        }
        for index in hosts.indices { see(index, isBad: false, wasBad: false) }
        see(0, isBad: true, wasBad: false)
        #expect(judge.standing.trust(.outside).isSuspicious)
        for index in 1..<5 { see(index, isBad: true, wasBad: false) }
        #expect(judge.standing.trust(.outside).isDoubtful && judge.standing.trust(judge.hostClass(of: hosts[8])).isDoubtful)
        // Where one answers of its class, the others' silence is no doubt about it.
        see(8, isBad: false, wasBad: false)
        #expect(judge.standing.trust(.outside).isDoubtful && !judge.standing.trust(judge.hostClass(of: hosts[8])).isDoubtful)
        #expect(judge.standing.trust(judge.hostClass(of: hosts[8])).trustedSince == now)
        // All answer, and then something else is broken.
        for index in 0..<5 { see(index, isBad: false, wasBad: true) }
        for index in 0..<3 {
            see(index, isBad: true, wasBad: false)
            see(8, isBad: false, wasBad: false)
        }
        #expect(judge.standing.doubt == nil && !judge.standing.trust(.outside).isSuspicious)
    }

    /// Each host counts for the interval of its own target.
    @Test func hostsThatAreAskedSeldomAreNotForgottenBeforeTheOthersAreAsked() {
        var judge = VantageJudge()
        var now = ContinuousClock.now
        let hosts = (0..<10).map { judge.add(host: "h\($0).example", isBad: false, interval: .seconds(300)) }
        for (index, host) in hosts.enumerated() {
            judge.observe(host: host, wasBad: false, isBad: false, interval: .seconds(300), address: "20.\(index).0.1", at: now)
        }
        for host in hosts.prefix(5) {
            now = now.advanced(by: .seconds(30))
            judge.observe(host: host, wasBad: false, isBad: true, interval: .seconds(300), address: nil, at: now)
            #expect(judge.standing.trust(.outside).isSuspicious || judge.standing.trust(.outside).isDoubtful)
        }
        #expect(judge.standing.doubt?.cause == .hosts(bad: 5, of: 10))
    }

    /// After a restart in a cut no host has answered, and no address of a name is known.
    @Test func namesThatNeverAnsweredAreNetworksOfTheirOwn() {
        var judge = VantageJudge()
        let now = ContinuousClock.now
        let hosts = (0..<8).map { judge.add(host: "h\($0).example.com", isBad: false, interval: .seconds(30)) }
        #expect(!judge.standing.isSettled)
        for host in hosts { judge.observe(host: host, wasBad: false, isBad: true, interval: .seconds(30), address: nil, at: now) }
        #expect(judge.standing.doubt?.cause == .hosts(bad: 8, of: 8))
        #expect(!judge.standing.isSettled)
        judge.observe(host: hosts[0], wasBad: true, isBad: false, interval: .seconds(30), address: "192.0.2.1", at: now)
        #expect(judge.standing.isSettled)
    }

    @Test func anAddressIsItsOwnNetwork() {
        func doubt(of hosts: [String]) -> VantageJudge.Doubt? {
            var judge = VantageJudge()
            let ids = hosts.map { judge.add(host: $0, isBad: false, interval: .seconds(30)) }
            for id in ids { judge.observe(host: id, wasBad: false, isBad: true, interval: .seconds(30), address: nil, at: .now) }
            return judge.standing.doubt
        }
        #expect(doubt(of: (0..<8).map { "20.1.\($0).5" }) == nil)
        #expect(doubt(of: (0..<8).map { "20.\($0).0.5" }) != nil)
        // Inside, a subnet is one.
        #expect(doubt(of: (0..<8).map { "10.1.1.\($0)" }) == nil)
        #expect(doubt(of: (0..<8).map { "10.1.\($0).5" }) != nil)
    }

    @Test(arguments: [(4, 4), (20, 2)])
    func fewHostsOrFewNetworksAreNoDoubt(hosts: Int, networks: Int) {
        var vantage = Vantage(hosts: hosts, networks: networks)
        for host in 0..<hosts { vantage.result(host, isBad: true) }
        #expect(vantage.judge.standing.doubt == nil)
        #expect(!vantage.judge.standing.trust(.outside).isSuspicious)
    }

    @Test func seventeenTargetsOfOneProviderAreOneHost() {
        var judge = VantageJudge()
        let now = ContinuousClock.now
        let ids = (0..<17).map { _ in judge.add(host: "api.example.com", isBad: false, interval: .seconds(30)) }
        for id in ids { judge.observe(host: id, wasBad: false, isBad: true, interval: .seconds(30), address: nil, at: now) }
        #expect(Set(ids).count == 1)
        #expect(judge.standing.doubt == nil && !judge.standing.trust(.outside).isSuspicious)
    }

    @Test func aHostIsBadWhenMostOfItsTargetsAre() {
        var vantage = Vantage(hosts: 8)
        let first = vantage.judge.add(host: "h0.n0.example", isBad: false, interval: .seconds(30))
        _ = vantage.judge.add(host: "h0.n0.example", isBad: false, interval: .seconds(30))
        for host in 1..<5 { vantage.result(host, isBad: true) }
        vantage.judge.observe(host: first, wasBad: false, isBad: true, interval: .seconds(30), address: nil, at: vantage.now)
        // It is as silent as the others, and yet not bad.
        #expect(vantage.judge.standing.trust(.outside).isSuspicious && vantage.judge.standing.doubt == nil)
        vantage.result(0, isBad: true)
        #expect(vantage.judge.standing.doubt != nil)
    }

    @Test func itTrustsItselfAgainWhenHalfOfThemAnswer() {
        var vantage = Vantage(hosts: 20)
        for host in 0..<16 { vantage.result(host, isBad: true) }
        #expect(vantage.judge.standing.doubt != nil)
        vantage.pass(200)
        #expect(vantage.judge.standing.doubt != nil)
        for host in 0..<7 { vantage.result(host, isBad: false) }
        #expect(vantage.judge.standing.doubt != nil)
        vantage.pass(1)
        vantage.result(7, isBad: false)
        #expect(vantage.judge.standing.doubt == nil)
        #expect(vantage.judge.standing.trust(.outside).trustedSince == vantage.now)
        // Those that stay bad are no new doubt.
        vantage.pass(1)
        #expect(vantage.judge.standing.doubt == nil && !vantage.judge.standing.trust(.outside).isSuspicious)
    }

    /// A second target of each, whose first result is good, turns it without any turn that is told.
    @Test func hostsThatTurnByTargetsThatComeEndADoubtToo() {
        var vantage = Vantage(hosts: 5)
        for host in 0..<5 { vantage.result(host, isBad: true) }
        #expect(vantage.judge.standing.doubt != nil)
        for host in 0..<5 { _ = vantage.judge.add(host: "h\(host).n\(host % 8).example", isBad: false, interval: .seconds(30)) }
        vantage.pass(1)
        #expect(vantage.judge.standing.doubt == nil)
    }

    @Test func aSuspicionThatComesToNothingEndsAfterAnInterval() {
        var vantage = Vantage(hosts: 100)
        for host in 0..<6 { vantage.pass(0.1); vantage.result(host, isBad: true) }
        #expect(vantage.judge.standing.trust(.outside).isSuspicious)
        vantage.pass(31)
        #expect(!vantage.judge.standing.trust(.outside).isSuspicious)
        #expect(vantage.judge.standing.doubt == nil)
    }

    @Test func ownTroubleIsADoubtWhileItLasts() {
        var vantage = Vantage(hosts: 1)
        vantage.judge.note(troubles: ["no descriptors are left"], at: vantage.now)
        #expect(vantage.judge.standing.doubt?.cause.sentence == "no descriptors are left")
        vantage.judge.note(troubles: [], at: vantage.now)
        #expect(vantage.judge.standing.doubt == nil)
    }

    @Test func withCanariesOnlyTheyDecide() {
        var vantage = Vantage(hosts: 20)
        vantage.judge.hasCanaries = true
        for host in 0..<20 { vantage.pass(0.1); vantage.result(host, isBad: true) }
        #expect(vantage.judge.standing.doubt == nil && !vantage.judge.standing.trust(.outside).isSuspicious)
        #expect(vantage.judge.standing.wantsCanaries)
        // One answers: it speaks for what began until it was asked.
        vantage.judge.note(canariesAskedAt: vantage.now, vantage.wall, failed: 1, of: 2)
        vantage.pass(0.1)
        #expect(vantage.judge.standing.doubt == nil && !vantage.judge.standing.wantsCanaries)
        #expect(vantage.judge.standing.trust(.outside).vouchedUntil == vantage.wall + .milliseconds(-100))
        vantage.judge.note(canariesAskedAt: vantage.now, vantage.wall, failed: 2, of: 2)
        vantage.pass(0.1)
        #expect(vantage.judge.standing.doubt?.cause == .canaries(2))
        #expect(vantage.judge.standing.trust(.outside).vouchedUntil == vantage.wall + .milliseconds(-200))
        vantage.judge.note(canariesAskedAt: vantage.now, vantage.wall, failed: 0, of: 2)
        vantage.pass(0.1)
        #expect(vantage.judge.standing.doubt == nil)
    }

    /// However few hosts there are, and whatever others answer.
    @Test func aFirstFailureWantsCanariesThatAreAskedAfterIt() {
        var vantage = Vantage(hosts: 3)
        #expect(vantage.judge.standing.trust(.outside).vouchedUntil == nil)
        vantage.judge.hasCanaries = true
        let (askedAt, wall) = (vantage.now, vantage.wall)
        vantage.pass(0.1)
        vantage.result(0, isBad: true)
        vantage.result(1, isBad: false)
        // They were asked before.
        vantage.judge.note(canariesAskedAt: askedAt, wall, failed: 0, of: 2)
        #expect(vantage.judge.standing.wantsCanaries && vantage.judge.standing.trust(.outside).vouchedUntil == wall)
        vantage.judge.note(canariesAskedAt: vantage.now, vantage.wall, failed: 0, of: 2)
        #expect(!vantage.judge.standing.wantsCanaries && vantage.judge.standing.trust(.outside).vouchedUntil == vantage.wall)
        // A round that was asked before, and whose answers come after.
        vantage.judge.note(canariesAskedAt: askedAt, wall, failed: 2, of: 2)
        vantage.pass(0.1)
        #expect(vantage.judge.standing.doubt == nil)
    }

    @Test func aSingleCanaryIsNoWitness() {
        var vantage = Vantage(hosts: 3)
        vantage.judge.hasCanaries = true
        vantage.judge.note(canariesAskedAt: vantage.now, vantage.wall, failed: 1, of: 1)
        vantage.pass(1)
        #expect(vantage.judge.standing.doubt == nil)
    }

    @Test func hostsThatAreGoneCountNoLonger() {
        var vantage = Vantage(hosts: 10)
        let id = vantage.judge.add(host: "gone.example", isBad: false, interval: .seconds(30))
        vantage.judge.remove(host: id, isBad: false)
        for host in 0..<5 { vantage.result(host, isBad: true) }
        #expect(vantage.judge.standing.doubt?.cause == .hosts(bad: 5, of: 10))
        // Its vantage is given to another.
        #expect(vantage.judge.add(host: "new.example", isBad: false, interval: .seconds(30)) == id)
    }
}
