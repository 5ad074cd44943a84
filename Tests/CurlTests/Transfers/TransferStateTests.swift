import Testing

@testable import Curl

/// The way from a submission to an end, without a socket.
@Suite struct TransferStateTests {
    private let name = LookupName(host: "a.test", family: .any)
    private let proxyName = LookupName(host: "proxy.test", family: .any)

    private func wanted(_ url: String = "http://a.test/", _ change: (inout TransferRequest) -> Void = { _ in }) throws
        -> TransferRequest
    {
        try request(url, change)
    }

    private func choice(_ request: TransferRequest, _ addresses: [String]) throws -> AddressChoice {
        AddressChoice(request, of: try addresses.map { try address($0) }) { $0 }
    }

    @Test func aNameIsLookedUp() throws {
        var state = TransferState.waiting
        #expect(state.begin(try wanted()) == .lookUp(name))
        #expect(state == .lookingUp(.target) && state.isParked)
    }

    @Test func anAddressIsChosenWithoutALookup() throws {
        var state = TransferState.waiting
        #expect(state.begin(try wanted("http://127.0.0.1/")) == .choose([try address("127.0.0.1")]))
        #expect(state == .preparing && !state.isParked)
    }

    @Test func theOnlyAddressIsChosenInPlaceOfTheNamesOwn() throws {
        var state = TransferState.waiting
        let only = try address("192.0.2.1")
        #expect(state.begin(try wanted { $0.onlyAddress = only }) == .choose([only]))
    }

    @Test func aUnixSocketNeedsNoLookup() throws {
        var state = TransferState.waiting
        #expect(state.begin(try wanted { $0.unixSocket = "/run/x" }) == .choose([try address("127.0.0.1")]))
    }

    @Test func aSchemeThatIsNotHTTPFails() throws {
        var state = TransferState.waiting
        #expect(state.begin(try wanted("ftp://a.test/")) == .fail(.init(.unsupportedScheme)))
    }

    @Test func aHostWithABlankFails() throws {
        var state = TransferState.waiting
        #expect(state.begin(try wanted { $0.url.host = "a b" }) == .fail(.init(.urlMalformed)))
    }

    @Test func aTransferBeginsOnce() throws {
        var state = TransferState.waiting
        _ = state.begin(try wanted())
        #expect(state.begin(try wanted()) == .nothing)
    }

    @Test func aTransferThatAwaitsItsBundleBeginsWhenTheBundleHasCome() throws {
        var state = TransferState.waiting
        state.awaitBundle()
        #expect(state.isParked)
        #expect(state.begin(try wanted()) == .nothing)
        let waits = state.bundleCame()
        #expect(waits)
        #expect(state.begin(try wanted()) == .lookUp(name))
    }

    @Test func aBundleThatCameTooLateBeginsNothing() throws {
        var state = TransferState.waiting
        state.awaitBundle()
        _ = state.end(try wanted())
        let waits = state.bundleCame()
        #expect(!waits && state == .ended)
    }

    @Test func aBundleThatIsNotReadInTimeIsSaid() throws {
        var state = TransferState.waiting
        state.awaitBundle()
        let action = state.deadlinePassed(try wanted(), bundlePath: "/ca.pem")
        #expect(action == .fail(.init(.caFileUnreadable, detail: "reading /ca.pem takes too long")))
    }

    @Test func theAddressesOfTheTargetAreChosenFrom() throws {
        var state = TransferState.lookingUp(.target)
        let found = [try address("192.0.2.1")]
        #expect(state.resolved(found) == .choose(found))
        #expect(state == .preparing)
    }

    @Test func aChosenAddressIsConnectedTo() throws {
        var state = TransferState.preparing
        let request = try wanted()
        #expect(state.chose(try choice(request, ["192.0.2.1"]), request) == .connect(proxy: nil))
    }

    @Test func withoutAnAddressItFails() throws {
        var state = TransferState.preparing
        let request = try wanted()
        #expect(state.chose(try choice(request, []), request) == .fail(.init(.noAddress)))
    }

    @Test func theNameOfAProxyIsLookedUpAfterTheTargets() throws {
        var state = TransferState.preparing
        let request = try wanted { $0.proxy = (host: "proxy.test", port: 1) }
        #expect(state.chose(try choice(request, ["192.0.2.1"]), request) == .lookUp(proxyName))
        let proxy = try address("192.0.2.9")
        #expect(state.resolved([proxy]) == .connect(proxy: proxy))
    }

    @Test func theAddressOfAProxyIsTakenAsItStands() throws {
        var state = TransferState.preparing
        let request = try wanted { $0.proxy = (host: "192.0.2.9", port: 1) }
        let action = state.chose(try choice(request, ["192.0.2.1"]), request)
        #expect(action == .connect(proxy: try address("192.0.2.9")))
    }

    @Test func aProxyWithoutAnAddressHasFailed() {
        var state = TransferState.lookingUp(.proxy)
        #expect(state.resolved([]) == .fail(.init(.proxyFailed, detail: "its name has no address")))
    }

    @Test(arguments: [
        (TransferState.Peer.target, TransferFailure.Code.lookupFailed, TransferFailure.Code.lookupFailed),
        (.target, .localFault, .localFault), (.proxy, .lookupFailed, .proxyFailed), (.proxy, .localFault, .localFault),
    ])
    func aFailedLookupIsItsOwnersFailure(_ peer: TransferState.Peer, _ code: TransferFailure.Code, _ shown: TransferFailure.Code)
    {
        var state = TransferState.lookingUp(peer)
        #expect(state.lookupFailed(.init(code, detail: "x")) == .fail(.init(shown, detail: "x")))
    }

    @Test(arguments: [
        (TransferState.Peer.target, true, TransferFailure.Code.lookupTimedOut), (.proxy, true, .proxyFailed),
        (.target, false, .localFault),
    ])
    func aLateLookupIsLeftAndThenBlamed(_ peer: TransferState.Peer, wasRunning: Bool, _ code: TransferFailure.Code) throws {
        var state = TransferState.lookingUp(peer)
        let request = try wanted { $0.proxy = (host: "proxy.test", port: 1) }
        #expect(state.deadlinePassed(request, bundlePath: "") == .leaveLookup(peer == .proxy ? proxyName : name))
        guard case .fail(let failure) = state.leftLookup(wasRunning: wasRunning) else { return #expect(Bool(false)) }
        #expect(failure.code == code)
    }

    @Test(arguments: [TransferState.waiting, .preparing, .running, .ended])
    func theDeadlineOfAWaitThatIsOverChangesNothing(_ state: TransferState) throws {
        var changed = state
        #expect(changed.deadlinePassed(try wanted(), bundlePath: "") == .nothing)
        #expect(changed == state)
    }

    @Test(arguments: [TransferState.waiting, .awaitingBundle, .preparing, .running, .ended])
    func anAnswerThatNobodyWaitsForChangesNothing(_ state: TransferState) throws {
        var changed = state
        #expect(changed.resolved([]) == .nothing)
        #expect(changed.lookupFailed(.init(.lookupFailed)) == .nothing)
        #expect(changed.leftLookup(wasRunning: true) == .nothing)
        #expect(changed == state)
    }

    @Test func libcurlHasTheTransferFromTheHandOverToTheEnd() throws {
        var state = TransferState.preparing
        state.handedOver()
        #expect(state == .running)
        #expect(state.end(try wanted()) == .libcurl)
        #expect(state.end(try wanted()) == .nothing)
    }

    @Test func aTransferThatEndsInALookupLeavesIt() throws {
        var state = TransferState.lookingUp(.target)
        #expect(state.end(try wanted()) == .lookup(name))
        #expect(state == .ended)
    }

    @Test(arguments: [TransferState.waiting, .awaitingBundle, .preparing])
    func aTransferThatEndsBeforeAnythingWasStartedHoldsNothing(_ state: TransferState) throws {
        var state = state
        #expect(state.end(try wanted()) == .nothing)
    }
}
