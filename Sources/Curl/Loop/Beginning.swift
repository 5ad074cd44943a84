internal import CCurl

/// From a submission to libcurl: the authorities, the addresses, the one that is chosen. ``TransferState`` decides, and this carries out.
extension Loop {
    func begin(_ transfer: Transfer) {
        guard transfer.handshake == nil || hasAuthorities(transfer) else { return }
        transfer.markBeginning()
        carryOut(transfer.state.begin(transfer.request), transfer)
    }

    private func carryOut(_ action: TransferState.Action, _ transfer: Transfer) {
        switch action {
        case .lookUp(let name): lookUp(name, transfer)
        case .choose(let addresses): choose(transfer, of: addresses)
        case .connect(let proxy):
            transfer.proxyAddress = proxy
            connect(transfer)
        case .leaveLookup(let name):
            carryOut(transfer.state.leftLookup(wasRunning: leaveLookup(name, transfer)), transfer)
        case .fail(let failure): end(transfer, failure)
        case .nothing: break
        }
    }

    private func hasAuthorities(_ transfer: Transfer) -> Bool {
        let now = monotonicNanoseconds()
        switch authorities.bundle(transfer.request.caFile, for: .init(transfer: transfer.id, mailbox: mailbox), now: now) {
        case .here(let bundle):
            transfer.bundle = bundle
            return true
        case .underWay:
            transfer.state.awaitBundle()
            transfers.park(transfer, until: now + transfer.request.timeout.boundedNanoseconds)
            return false
        }
    }

    func bundleRead(for id: UInt64) {
        guard let transfer = transfers[id], transfer.state.bundleCame() else { return }
        begin(transfer)
    }

    private func lookUp(_ name: LookupName, _ transfer: Transfer) {
        // A proxy's name is looked up after the target's.
        transfer.times.lookupAt = transfer.times.lookupAt == 0 ? transfer.times.beganAt : monotonicNanoseconds()
        let waiter = LookupWaiter(transfer: transfer.id, mailbox: mailbox)
        guard let addresses = resolver.ask(name, waiter, transfer.request.dnsCache, beganAt: transfer.times.beganAt) else {
            return transfers.park(transfer, until: transfer.times.deadline)
        }
        // Another engine may have been told of them.
        shutDownKept(of: name, notAmong: addresses)
        carryOut(transfer.state.resolved(addresses), transfer)
    }

    /// Answers whether it was under way.
    func leaveLookup(_ name: LookupName, _ transfer: Transfer) -> Bool {
        resolver.leave(name, LookupWaiter(transfer: transfer.id, mailbox: mailbox))
    }

    /// - Parameter time: when the answer was there. That may have been before the transfer began.
    func lookedUp(_ name: LookupName, _ result: LookupAnswer, at time: UInt64, for ids: [UInt64]) {
        let now = monotonicNanoseconds()
        if case .addresses(let addresses) = result { shutDownKept(of: name, notAmong: addresses) }
        for id in ids {
            guard let transfer = transfers[id], transfer.state.isWaiting(for: name, transfer.request) else { continue }
            transfer.lookupEnded(at: time, noticed: now)
            switch result {
            case .addresses(let addresses): carryOut(transfer.state.resolved(addresses), transfer)
            case .failed(let failure): carryOut(transfer.state.lookupFailed(failure), transfer)
            }
        }
    }

    /// Of one that waits though its deadline has passed.
    func endWait(_ transfer: Transfer, now: UInt64) {
        if case .lookingUp = transfer.state { transfer.lookupEnded(at: now, noticed: now) }
        carryOut(transfer.state.deadlinePassed(transfer.request, bundlePath: transfer.bundlePath), transfer)
    }

    private func choose(_ transfer: Transfer, of addresses: [SocketAddress]) {
        let choice = AddressChoice(transfer.request, of: addresses) { routes.reachable($0, now: monotonicNanoseconds()) }
        transfer.report.dns = transfer.report.dns ?? .zero
        (transfer.report.resolved, transfer.report.address) = (choice.resolved, choice.address)
        carryOut(transfer.state.chose(choice, transfer.request), transfer)
    }

    func connect(_ transfer: Transfer) {
        guard let address = transfer.report.address else { return }
        let now = monotonicNanoseconds()
        guard transfer.times.deadline > now else {
            return end(transfer, .init(transfer.times.isSecondTry ? .connectTimedOut : .lookupTimedOut))
        }
        guard let handle = EasyHandle(needsOwnContext: transfer.needsOwnContext) else {
            return end(transfer, .init(.localFault, detail: "no memory for a handle"))
        }
        transfer.handle = handle
        transfer.markHandingOver(at: now)
        let options = TransferOptions(transfer, address, userAgent: userAgent)
        if let failure = options.apply(to: handle) ?? add(transfer, handle) { end(transfer, failure) }
    }
}
