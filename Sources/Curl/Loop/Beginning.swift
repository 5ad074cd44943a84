internal import CCurl

/// From a submission to libcurl: the URL's scheme, the addresses, the one that is chosen.
extension Loop {
    func begin(_ transfer: Transfer) {
        guard transfer.witness == nil || hasAuthorities(transfer) else { return }
        transfer.markBeginning()
        let request = transfer.request
        guard request.url.scheme == "http" || request.url.scheme == "https" else {
            return end(transfer, .init(.unsupportedScheme))
        }
        guard request.url.host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return end(transfer, .init(.urlMalformed)) }
        if let address = request.onlyAddress
            ?? (request.unixSocket == nil ? SocketAddress(request.url.host) : SocketAddress("127.0.0.1"))
        {
            return choose(transfer, of: [address])
        }
        lookUp(transfer)
    }

    /// A transfer whose bundle is still being read begins when it is there: that time is none of its phases.
    private func hasAuthorities(_ transfer: Transfer) -> Bool {
        let now = monotonicNanoseconds()
        switch authorities.bundle(transfer.request.caFile, for: transfer.id, now: now) {
        case .here(let bundle):
            transfer.bundle = bundle
            return true
        case .underWay:
            transfer.stage = .awaitingBundle
            waitDeadlines.insert((now + transfer.request.timeout.boundedNanoseconds, transfer.id))
            return false
        }
    }

    func bundleRead(_ path: String, _ file: FileForm?, _ bundle: ParsedBundle?) {
        for id in authorities.finish(path, file, bundle) {
            guard let transfer = transfers[id], transfer.stage == .awaitingBundle else { continue }
            transfer.stage = .waiting
            begin(transfer)
        }
    }

    private func lookUp(_ transfer: Transfer) {
        let (name, keep) = (transfer.lookupName, transfer.request.dnsCache.boundedNanoseconds)
        if let addresses = lookups.recall(name, keep: keep, now: transfer.beganAt) { return resolved(transfer, addresses) }
        transfer.stage = .lookingUp
        lookups.wait(for: name, transfer.id, keep: keep)
        waitDeadlines.insert((transfer.deadline, transfer.id))
        startLookups()
    }

    private func resolved(_ transfer: Transfer, _ addresses: [SocketAddress]) {
        guard transfer.isChosen else { return choose(transfer, of: addresses) }
        guard let first = addresses.first else { return end(transfer, .init(.proxyFailed, detail: "its name has no address")) }
        transfer.proxyAddress = first
        connect(transfer)
    }

    private func startLookups() {
        while let name = lookups.next() {
            let error = lookUpElsewhere(name)
            if error != 0 { answer(name, .failed(.local("no thread for a lookup", error))) }
        }
    }

    func lookedUp(_ name: LookupName, _ result: LookupAnswer) {
        answer(name, result)
        startLookups()
    }

    private func answer(_ name: LookupName, _ result: LookupAnswer) {
        let now = monotonicNanoseconds()
        if case .addresses(let addresses) = result { shutDownKept(of: name, notAmong: addresses) }
        for id in lookups.finish(name, result, now: now) {
            guard let transfer = transfers[id], transfer.stage == .lookingUp else { continue }
            transfer.stage = .waiting
            transfer.report.dns = .nanoseconds(now - transfer.beganAt)
            switch result {
            case .addresses(let addresses): resolved(transfer, addresses)
            case .failed(let failure):
                end(
                    transfer,
                    transfer.isChosen && failure.code != .localFault ? .init(.proxyFailed, detail: failure.detail) : failure)
            }
        }
    }

    /// Ends those whose deadline passed before their bundle was read, or their name looked up.
    func endWaits() {
        guard waitDeadlines.first != nil else { return }
        let now = monotonicNanoseconds()
        while let first = waitDeadlines.first, first.nanoseconds <= now {
            lookForStandstill()
            waitDeadlines.removeFirst()
            guard let transfer = transfers[first.id], transfer.isParked else { continue }
            guard transfer.stage == .lookingUp else {
                end(transfer, .init(.caFileUnreadable, detail: "reading \(transfer.bundlePath) takes too long"))
                continue
            }
            transfer.stage = .waiting
            transfer.report.dns = .nanoseconds(now - transfer.beganAt)
            let wasRunning = lookups.leave(transfer.lookupName, transfer.id)
            let late: TransferFailure.Code = transfer.isChosen ? .proxyFailed : .lookupTimedOut
            end(transfer, wasRunning ? .init(late) : .init(.localFault, detail: "every lookup thread was taken"))
        }
    }

    /// Takes one of the target's addresses that the rule allows.
    private func choose(_ transfer: Transfer, of addresses: [SocketAddress]) {
        let request = transfer.request
        transfer.report.dns = transfer.report.dns ?? .zero
        let candidates = request.family == .any ? addresses : addresses.filter { $0.isIPv4 == (request.family == .v4) }
        transfer.report.resolved = candidates
        guard !candidates.isEmpty else { return end(transfer, .init(.noAddress)) }
        let allowed = request.allows.map { candidates.filter($0) } ?? candidates
        guard !allowed.isEmpty else { return end(transfer, .init(.addressDenied)) }
        // A proxy has routes of its own.
        let reachable = request.proxy == nil ? routes.reachable(allowed, now: monotonicNanoseconds()) : allowed
        if reachable.count < allowed.count {
            transfer.report.resolved.removeAll { allowed.contains($0) && !reachable.contains($0) }
        }
        transfer.report.address = reachable[Int(request.pin % UInt64(reachable.count))]
        transfer.isChosen = true
        guard let proxy = request.proxy else { return connect(transfer) }
        if let literal = SocketAddress(proxy.host) { return resolved(transfer, [literal]) }
        lookUp(transfer)
    }

    func connect(_ transfer: Transfer) {
        guard let address = transfer.report.address else { return }
        let now = monotonicNanoseconds()
        guard transfer.deadline > now else {
            return end(transfer, .init(transfer.triedAt == nil ? .lookupTimedOut : .connectTimedOut))
        }
        guard let handle = EasyHandle() else { return end(transfer, .init(.localFault, detail: "no memory for a handle")) }
        transfer.handle = handle
        transfer.addedAt = now
        let options = TransferOptions(transfer, address, nanosecondsLeft: transfer.deadline - now, loop: self)
        if let failure = options.apply(to: handle) ?? add(transfer, handle) { end(transfer, failure) }
    }
}
