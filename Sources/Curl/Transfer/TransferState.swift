/// How far a transfer has come. Each function says what has happened, and returns the action to take: the engine's loop carries it out.
///
///     waiting ──► preparing ──► running ──► ended
///       │  ▲        │    ▲
///       ▼  │        ▼    │
///     awaitingBundle  lookingUp
///
/// It can end from anywhere.
enum TransferState: Hashable {
    enum Peer: Hashable { case target, proxy }

    /// It has not begun.
    case waiting
    /// Nor has it here: its file of authorities is being read, and that time is none of its phases.
    case awaitingBundle
    /// It has begun, and libcurl doesn't have it yet.
    case preparing
    case lookingUp(Peer)
    /// libcurl has it.
    case running
    case ended

    enum Action: Hashable {
        /// Then say ``resolved(_:)`` or ``lookupFailed(_:)``.
        case lookUp(LookupName)
        /// Choose one of the target's addresses, and say ``chose(_:_:)``.
        case choose([SocketAddress])
        /// Have libcurl connect, and say ``handedOver()``.
        case connect(proxy: SocketAddress?)
        /// Leave it to itself, and say ``leftLookup(wasRunning:)``.
        case leaveLookup(LookupName)
        case fail(TransferFailure)
        /// What has happened concerns a state that is over.
        case nothing
    }

    /// What a transfer that ends still holds.
    enum Hold: Hashable {
        case nothing
        case lookup(LookupName)
        case libcurl
    }

    /// What it waits for has no deadline of its own.
    var isParked: Bool {
        switch self {
        case .awaitingBundle, .lookingUp: true
        case .waiting, .preparing, .running, .ended: false
        }
    }

    func isWaiting(for name: LookupName, _ request: TransferRequest) -> Bool {
        guard case .lookingUp(let peer) = self else { return false }
        return LookupName(of: peer, request) == name
    }

    mutating func awaitBundle() {
        guard self == .waiting else { return }
        self = .awaitingBundle
    }

    /// False for one that no longer waits for it.
    mutating func bundleCame() -> Bool {
        guard self == .awaitingBundle else { return false }
        self = .waiting
        return true
    }

    mutating func begin(_ request: TransferRequest) -> Action {
        guard self == .waiting else { return .nothing }
        self = .preparing
        guard request.url.scheme == "http" || request.url.scheme == "https" else { return .fail(.init(.unsupportedScheme)) }
        guard request.url.host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return .fail(.init(.urlMalformed)) }
        // libcurl gets the path of a Unix socket, and the address is never used.
        let literal = request.unixSocket == nil ? request.url.host : "127.0.0.1"
        if let address = request.onlyAddress ?? SocketAddress(literal) { return .choose([address]) }
        return lookUp(.target, request)
    }

    private mutating func lookUp(_ peer: Peer, _ request: TransferRequest) -> Action {
        self = .lookingUp(peer)
        return LookupName(of: peer, request).map { .lookUp($0) } ?? .nothing
    }

    mutating func resolved(_ addresses: [SocketAddress]) -> Action {
        guard case .lookingUp(let peer) = self else { return .nothing }
        self = .preparing
        guard peer == .proxy else { return .choose(addresses) }
        guard let first = addresses.first else { return .fail(.init(.proxyFailed, detail: "its name has no address")) }
        return .connect(proxy: first)
    }

    mutating func lookupFailed(_ failure: TransferFailure) -> Action {
        guard case .lookingUp(let peer) = self else { return .nothing }
        self = .preparing
        let isProxys = peer == .proxy && failure.code != .localFault
        return .fail(isProxys ? .init(.proxyFailed, detail: failure.detail) : failure)
    }

    mutating func chose(_ choice: AddressChoice, _ request: TransferRequest) -> Action {
        guard self == .preparing else { return .nothing }
        if let failure = choice.failure { return .fail(failure) }
        guard let proxy = request.proxy else { return .connect(proxy: nil) }
        if let literal = SocketAddress(proxy.host) { return .connect(proxy: literal) }
        return lookUp(.proxy, request)
    }

    /// Of what it waits for.
    mutating func deadlinePassed(_ request: TransferRequest, bundlePath: @autoclosure () -> String) -> Action {
        switch self {
        case .awaitingBundle:
            self = .preparing
            return .fail(.init(.caFileUnreadable, detail: "reading \(bundlePath()) takes too long"))
        case .lookingUp(let peer): return LookupName(of: peer, request).map { .leaveLookup($0) } ?? .nothing
        case .waiting, .preparing, .running, .ended: return .nothing
        }
    }

    /// - Parameter wasRunning: if not, the lookup had no chance to answer in time.
    mutating func leftLookup(wasRunning: Bool) -> Action {
        guard case .lookingUp(let peer) = self else { return .nothing }
        self = .preparing
        guard wasRunning else {
            return .fail(
                .init(.localFault, detail: "the lookup did not begin in time: every lookup thread or every processor was taken"))
        }
        return .fail(.init(peer == .proxy ? .proxyFailed : .lookupTimedOut))
    }

    mutating func handedOver() {
        guard self == .preparing else { return }
        self = .running
    }

    mutating func end(_ request: TransferRequest) -> Hold {
        defer { self = .ended }
        switch self {
        case .lookingUp(let peer): return LookupName(of: peer, request).map { .lookup($0) } ?? .nothing
        case .running: return .libcurl
        case .waiting, .awaitingBundle, .preparing, .ended: return .nothing
        }
    }
}

extension LookupName {
    /// nil for the proxy of a request without one.
    init?(of peer: TransferState.Peer, _ request: TransferRequest) {
        switch peer {
        case .target:
            self.init(host: request.url.host, family: request.family, usesSearchDomains: request.usesSearchDomains)
        case .proxy:
            guard let proxy = request.proxy else { return nil }
            self.init(host: proxy.host, family: .any, usesSearchDomains: request.usesSearchDomains)
        }
    }
}
