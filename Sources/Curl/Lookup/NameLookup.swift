internal import CCurl
internal import Glibc

/// What is looked up: a name in a family, with search domains or without. Two requests for the same share one lookup.
package struct LookupName: Hashable, Sendable {
    package let host: String
    package let family: TransferRequest.Family
    /// As in ``TransferRequest/usesSearchDomains``.
    package let usesSearchDomains: Bool

    package init(host: String, family: TransferRequest.Family, usesSearchDomains: Bool = true) {
        (self.host, self.family, self.usesSearchDomains) = (host, family, usesSearchDomains)
    }
}

package enum LookupAnswer: Sendable {
    /// In ascending order, so that a pin means the same address each time however the resolver shuffles its answers.
    case addresses([SocketAddress])
    case failed(TransferFailure)
}

extension LookupName {
    private static let addressLimit = 64

    /// In ascending order, at most 64.
    static func ordered(_ addresses: some Sequence<SocketAddress>) -> [SocketAddress] {
        Array(Set(addresses).sorted().prefix(addressLimit))
    }

    /// Asks the system's resolver, which takes as long as it takes; nothing can end it early. For a thread of its own.
    func lookUp() -> LookupAnswer {
        let (code, answer) = ask(withSearch: usesSearchDomains)
        // Whoever relied on a search domain is to learn why the name isn't found. Only where it is known not to be: a resolver that does
        // not answer would be waited for twice.
        guard !usesSearchDomains, rf_is_without_address(code) == 1, host.utf8.dropLast().contains(UInt8(ascii: ".")),
            rf_has_search_domains() == 1, case (0, _) = ask(withSearch: true)
        else { return answer }
        return .failed(.needsSearch)
    }

    /// The code is getaddrinfo's.
    private func ask(withSearch: Bool) -> (code: Int32, answer: LookupAnswer) {
        let trouble = rf_set_up_resolver(withSearch ? 1 : 0)
        guard trouble == 0 else { return (EAI_SYSTEM, .failed(.local("lookup", trouble))) }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        switch family {
        // Without an address of its own in a family the machine can't probe there, and that would be no fault of the target.
        case .any: hints.ai_flags = AI_ADDRCONFIG
        case .v4: hints.ai_family = AF_INET
        case .v6: hints.ai_family = AF_INET6
        }
        var list: UnsafeMutablePointer<addrinfo>?
        errno = 0
        let code = getaddrinfo(host, nil, &hints, &list)
        let error = errno
        defer { if let list { freeaddrinfo(list) } }
        guard code == 0 else { return (code, .failed(Self.failure(code, error))) }
        let entries = sequence(first: list) { $0?.pointee.ai_next }.prefix { $0 != nil }
        let found = entries.compactMap { $0?.pointee.ai_addr.flatMap { SocketAddress(UnsafePointer($0)) } }
        return (0, .addresses(Self.ordered(found)))
    }

    private static func failure(_ code: Int32, _ error: Int32) -> TransferFailure {
        let isOurs = [EMFILE, ENFILE, ENOMEM, ENOBUFS].contains(error)
        if code == EAI_MEMORY || ((code == EAI_SYSTEM || code == EAI_AGAIN) && isOurs) { return .local("lookup", error) }
        let words = gai_strerror(code).map { String(cString: $0) } ?? "error \(code)"
        return TransferFailure(
            .lookupFailed, detail: code == EAI_SYSTEM ? systemErrorText(error) : words,
            systemError: code == EAI_SYSTEM ? error : nil)
    }
}

extension TransferFailure {
    static var needsSearch: TransferFailure {
        TransferFailure(.lookupNeedsSearch, detail: "it is found only with a search domain behind it")
    }
}
