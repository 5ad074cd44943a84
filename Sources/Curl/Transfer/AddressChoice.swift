/// Which of a name's addresses a transfer connects to.
struct AddressChoice {
    /// As in ``TransferReport/resolved``.
    let resolved: [SocketAddress]
    /// nil: there is none to connect to.
    let address: SocketAddress?

    /// - Parameter reachable: those of several addresses to which this machine has a route; all, where it has one to none of them.
    init(_ request: TransferRequest, of addresses: [SocketAddress], reachable: ([SocketAddress]) -> [SocketAddress]) {
        let candidates = request.family == .any ? addresses : addresses.filter { $0.isIPv4 == (request.family == .v4) }
        let allowed = request.allows.map { candidates.filter($0) } ?? candidates
        guard !allowed.isEmpty else {
            (resolved, address) = (candidates, nil)
            return
        }
        // A proxy has routes of its own.
        let reachable = request.proxy == nil ? reachable(allowed) : allowed
        resolved =
            reachable.count == allowed.count
            ? candidates : candidates.filter { !allowed.contains($0) || reachable.contains($0) }
        address = reachable[Int(request.pin % UInt64(reachable.count))]
    }

    /// nil: there is an address.
    var failure: TransferFailure? {
        guard address == nil else { return nil }
        return TransferFailure(resolved.isEmpty ? .noAddress : .addressDenied)
    }
}
