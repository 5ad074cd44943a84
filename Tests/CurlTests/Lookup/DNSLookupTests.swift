import Testing

@testable import Curl

/// Without sockets: what follows from which end of a question.
@Suite struct DNSLookupTests {
    private let name = LookupName(host: "a.test", family: .any, usesSearchDomains: false)

    private func lookup(
        _ types: [DNSType] = [.a, .aaaa], search: [String] = [], oneByOne: Bool = false, goesOn: Bool = false
    ) -> DNSLookup {
        DNSLookup(7, name, types: types, searchDomains: search, asksOneByOne: oneByOne, goesOnAfterDNS: goesOn)
    }

    private func asked(_ action: DNSLookup.Action) -> [DNSQuestion] {
        if case .ask(let questions) = action { questions } else { [] }
    }

    private func result(_ action: DNSLookup.Action) throws -> DNSResult {
        guard case .end(let result) = action else { throw Unexpected() }
        return result
    }

    private func failure(_ action: DNSLookup.Action) throws -> TransferFailure {
        guard case .failed(let failure) = try result(action).answer else { throw Unexpected() }
        return failure
    }

    private struct Unexpected: Error {}

    private func end(_ type: DNSType, _ outcome: DNSEnd.Outcome, at: UInt64 = 1, of host: String = "a.test") throws -> DNSEnd {
        DNSEnd(question: DNSQuestion(lookup: 7, name: try #require(DNSName(host)), type: type), outcome: outcome, at: at)
    }

    private func found(_ texts: String..., seconds: UInt32 = 60) -> DNSEnd.Outcome {
        .reply(.addresses(texts.compactMap { SocketAddress($0) }, timeToLive: seconds))
    }

    @Test func bothTypesAreAskedForAndTheLaterAnswerEndsIt() throws {
        var lookup = lookup()
        let questions = asked(lookup.begin())
        #expect(questions.map(\.type) == [.a, .aaaa])
        guard case .wait = lookup.ended(try end(.aaaa, found("2001:db8::1", seconds: 30), at: 5)) else { throw Unexpected() }
        let result = try result(lookup.ended(try end(.a, found("192.0.2.2", "192.0.2.1"), at: 3)))
        guard case .addresses(let addresses) = result.answer else { throw Unexpected() }
        #expect(addresses.map(\.text) == ["192.0.2.1", "192.0.2.2", "2001:db8::1"])
        #expect(result.at == 5 && result.timeToLive == 30 && result.isWhole && result.isAnswered)
    }

    @Test func oneTypeAfterTheOtherIsAskedForWhereTheServerWantsThat() throws {
        var lookup = lookup(oneByOne: true)
        let first = asked(lookup.begin())
        let second = asked(lookup.ended(try end(.a, found("192.0.2.1"))))
        let result = try result(lookup.ended(try end(.aaaa, .reply(.noAddress))))
        #expect(first.map(\.type) == [.a] && second.map(\.type) == [.aaaa] && result.isWhole)
    }

    @Test func atMost64AddressesAreTaken() throws {
        var lookup = lookup([.a])
        _ = lookup.begin()
        let many = (0..<200).reversed().compactMap { SocketAddress(bytes: [192, 0, 2, UInt8($0)]) }
        let result = try result(lookup.ended(try end(.a, .reply(.addresses(many, timeToLive: 1)))))
        guard case .addresses(let addresses) = result.answer else { throw Unexpected() }
        #expect(addresses.count == 64 && addresses.last?.text == "192.0.2.63")
    }

    @Test func anAddressOfOneFamilyIsAnAnswerWhateverBecameOfTheOther() throws {
        for outcome in [DNSEnd.Outcome.noAnswer(systemError: 0), .reply(.failed(responseCode: 2)), .reply(.unreadable)] {
            var lookup = lookup()
            _ = lookup.begin()
            _ = lookup.ended(try end(.aaaa, outcome))
            let result = try result(lookup.ended(try end(.a, found("192.0.2.1"))))
            guard case .addresses = result.answer else { throw Unexpected() }
            #expect(!result.isWhole)
        }
    }

    @Test(arguments: [
        (DNSEnd.Outcome.reply(.noSuchName), "NXDOMAIN"), (.reply(.noAddress), "has no address"),
        (.reply(.failed(responseCode: 2)), "SERVFAIL"), (.reply(.failed(responseCode: 5)), "REFUSED"),
        (.reply(.failed(responseCode: 9)), "error 9"), (.reply(.unreadable), "can't be read"),
        (.noAnswer(systemError: 0), "no name server answers"), (.noAnswer(systemError: 111), "Connection refused"),
    ])
    func eachFailureHasItsWords(outcome: DNSEnd.Outcome, words: String) throws {
        var lookup = lookup([.a])
        _ = lookup.begin()
        let failure = try failure(lookup.ended(try end(.a, outcome)))
        #expect(failure.code == .lookupFailed && failure.detail.contains(words), "\(failure.detail)")
    }

    @Test func whatSaysNothingOfTheNameOutweighsThatItHasNoAddressOfTheOtherFamily() throws {
        var lookup = lookup()
        _ = lookup.begin()
        _ = lookup.ended(try end(.a, .noAnswer(systemError: 0)))
        let failure = try failure(lookup.ended(try end(.aaaa, .reply(.noAddress))))
        #expect(failure.detail == "no name server answers")
    }

    @Test func ourOwnTroubleIsNoFaultOfTheName() throws {
        var lookup = lookup()
        _ = lookup.begin()
        _ = lookup.ended(try end(.a, .localFault(systemError: 24)))
        let failure = try failure(lookup.ended(try end(.aaaa, .reply(.noSuchName))))
        #expect(failure.code == .localFault)
    }

    @Test func aNameThatOnlyASearchDomainKnowsIsToldApart() throws {
        var lookup = lookup([.a], search: ["x.test", "y.test"])
        _ = lookup.begin()
        let first = asked(lookup.ended(try end(.a, .reply(.noSuchName))))
        let second = asked(lookup.ended(try end(.a, .reply(.noAddress))))
        let failure = try failure(lookup.ended(try end(.a, found("192.0.2.1"))))
        #expect(first.map(\.name) == [DNSName("a.test.x.test")] && second.map(\.name) == [DNSName("a.test.y.test")])
        #expect(failure.code == .lookupNeedsSearch)
    }

    @Test func aNameThatNoSearchDomainKnowsFailsAsItStands() throws {
        for last in [DNSEnd.Outcome.reply(.noSuchName), .noAnswer(systemError: 0)] {
            var lookup = lookup([.a], search: ["x.test"])
            _ = lookup.begin()
            _ = lookup.ended(try end(.a, .reply(.noSuchName)))
            let result = try result(lookup.ended(try end(.a, last)))
            guard case .failed(let failure) = result.answer else { throw Unexpected() }
            #expect(failure.code == .lookupFailed && failure.detail.contains("NXDOMAIN") && result.isAnswered)
        }
    }

    @Test func searchDomainsAreNotAskedWhereDNSHasNotSaidNo() throws {
        var lookup = lookup([.a], search: ["x.test"])
        _ = lookup.begin()
        let result = try result(lookup.ended(try end(.a, .noAnswer(systemError: 0))))
        #expect(!result.isAnswered)
    }

    @Test func theSystemGoesOnWhereItHasOthersToAsk() throws {
        var lookup = lookup([.a], search: ["x.test"], goesOn: true)
        _ = lookup.begin()
        guard case .handOver = lookup.ended(try end(.a, .reply(.noSuchName))) else { throw Unexpected() }
    }
}
