internal import CCurl
internal import Glibc

/// What is looked up: a name in a family. Two requests for the same share one lookup.
package struct LookupName: Hashable, Sendable {
    package let host: String
    package let family: TransferRequest.Family
}

package enum LookupAnswer: Sendable {
    /// In ascending order, so that a pin means the same address each time however the resolver shuffles its answers.
    case addresses([SocketAddress])
    case failed(TransferFailure)
}

extension LookupName {
    private static let addressLimit = 64

    /// Asks the system's resolver, which takes as long as it takes; nothing can end it early. For a thread of its own.
    func lookUp() -> LookupAnswer {
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
        guard code == 0 else { return .failed(Self.failure(code, error)) }
        var found: Set<SocketAddress> = []
        var next = list
        while let entry = next, found.count < Self.addressLimit {
            if let address = entry.pointee.ai_addr.flatMap({ SocketAddress(UnsafePointer($0)) }) { found.insert(address) }
            next = entry.pointee.ai_next
        }
        return .addresses(found.sorted())
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
