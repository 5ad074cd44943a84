/// What a lookup by DNS came to.
struct DNSResult {
    var answer: LookupAnswer
    /// The least of all records that lead to the addresses, in seconds.
    var timeToLive: UInt32 = 0
    /// Nothing is missing from it: no question had trouble for an answer.
    var isWhole = true
    /// False where no server has said anything.
    var isAnswered = true
    /// When the last answer that counts was there, in nanoseconds of the monotonic clock.
    var at: UInt64
}

/// One name's lookup by DNS, from its questions to its answer. It is told what ended, and returns what to do; it has no socket and no clock.
struct DNSLookup {
    enum Action {
        /// Send them, and say ``ended(_:)`` for each.
        case ask([DNSQuestion])
        case wait
        case end(DNSResult)
        /// DNS doesn't know it, and the system has others to ask.
        case handOver
    }

    let id: UInt64
    let name: LookupName
    private let types: [DNSType]
    private let asksOneByOne: Bool
    private let goesOnAfterDNS: Bool
    /// Those behind which the name is looked for where it has no address as it stands.
    private var searchDomains: [String]

    /// Of the name that is asked for now.
    private var wanted: [DNSType] = []
    private var waiting: [DNSType] = []
    private var addresses: [SocketAddress] = []
    private var timeToLive = UInt32.max
    private var isWhole = true
    private var trouble: Trouble?
    private var at: UInt64 = 0
    /// How the name failed as it stands.
    private var failure: TransferFailure?

    /// - Parameters:
    ///   - asksOneByOne: as in ``ResolverConfiguration/asksOneByOne``.
    ///   - goesOnAfterDNS: as in ``NameServiceSwitch/goesOnAfterDNS``.
    init(
        _ id: UInt64, _ name: LookupName, types: [DNSType], searchDomains: [String] = [], asksOneByOne: Bool = false,
        goesOnAfterDNS: Bool = false
    ) {
        (self.id, self.name, self.types) = (id, name, types)
        (self.asksOneByOne, self.goesOnAfterDNS) = (asksOneByOne, goesOnAfterDNS)
        self.searchDomains = name.host.hasSuffix(".") ? [] : searchDomains.reversed()
    }

    mutating func begin() -> Action { ask(name.host) }

    mutating func ended(_ end: DNSEnd) -> Action {
        guard let index = waiting.firstIndex(of: end.question.type) else { return .wait }
        waiting.remove(at: index)
        at = max(at, end.at)
        switch end.outcome {
        case .reply(.addresses(let found, let timeToLive)):
            addresses += found
            self.timeToLive = min(self.timeToLive, timeToLive)
        case .reply(.noAddress): note(.noAddress)
        case .reply(.noSuchName): note(.noSuchName)
        case .reply(.failed(let code)): note(.failed(code))
        case .reply(.unreadable): note(.unreadable)
        case .noAnswer(let error): note(.noAnswer(error))
        case .localFault(let error): note(.localFault(error))
        }
        if !waiting.isEmpty { return .wait }
        if !wanted.isEmpty { return next(end.question.name) }
        return allEnded()
    }

    private mutating func ask(_ host: String) -> Action {
        // Longer than DNS has room for, with a search domain behind it.
        guard let host = DNSName(host) else { return allEnded() }
        wanted = types.reversed()
        return next(host)
    }

    private mutating func next(_ host: DNSName) -> Action {
        var questions: [DNSQuestion] = []
        repeat {
            guard let type = wanted.popLast() else { break }
            waiting.append(type)
            questions.append(DNSQuestion(lookup: id, name: host, type: type))
        } while !asksOneByOne
        return .ask(questions)
    }

    private mutating func allEnded() -> Action {
        if let failure {
            guard addresses.isEmpty else { return end(.needsSearch) }
            return trouble?.isOfName == false ? end(failure) : askWithDomain(failure)
        }
        guard addresses.isEmpty else {
            let answer = LookupAnswer.addresses(LookupName.ordered(addresses))
            return .end(DNSResult(answer: answer, timeToLive: timeToLive, isWhole: isWhole, at: at))
        }
        let trouble = trouble ?? .noAddress
        guard trouble.isOfName else { return end(trouble.failure, isAnswered: !trouble.isSilence) }
        return goesOnAfterDNS ? .handOver : askWithDomain(trouble.failure)
    }

    private func end(_ failure: TransferFailure, isAnswered: Bool = true) -> Action {
        .end(DNSResult(answer: .failed(failure), isAnswered: isAnswered, at: at))
    }

    /// Whoever relied on a search domain is to learn why the name isn't found.
    private mutating func askWithDomain(_ failure: TransferFailure) -> Action {
        self.failure = failure
        guard let domain = searchDomains.popLast() else { return end(failure) }
        trouble = nil
        return ask("\(name.host).\(domain)")
    }

    /// An address of one family is an answer, whatever became of the other's question; with none, what says least of the name counts.
    private mutating func note(_ new: Trouble) {
        if !new.isOfName { isWhole = false }
        if new.weight >= trouble?.weight ?? 0 { trouble = new }
    }
}

/// Why a question had no address for an answer.
private enum Trouble {
    case noAddress
    case noSuchName
    case unreadable
    case failed(UInt8)
    case noAnswer(Int32)
    case localFault(Int32)

    /// DNS knows for certain that there is no address.
    var isOfName: Bool {
        switch self {
        case .noAddress, .noSuchName: true
        case .unreadable, .failed, .noAnswer, .localFault: false
        }
    }

    var isSilence: Bool {
        if case .noAnswer = self { true } else { false }
    }

    var weight: Int {
        switch self {
        case .noAddress: 1
        case .unreadable: 2
        case .failed: 3
        case .noAnswer: 4
        // A name that isn't there has no address of either family.
        case .noSuchName: 5
        case .localFault: 6
        }
    }

    var failure: TransferFailure {
        switch self {
        case .noAddress: .init(.lookupFailed, detail: "the name has no address")
        case .noSuchName: .init(.lookupFailed, detail: "there is no such name (NXDOMAIN)")
        case .unreadable: .init(.lookupFailed, detail: "the name server's answer can't be read")
        case .failed(2): .init(.lookupFailed, detail: "the name server failed (SERVFAIL)")
        case .failed(4): .init(.lookupFailed, detail: "the name server can't answer such a question (NOTIMP)")
        case .failed(5): .init(.lookupFailed, detail: "the name server refuses to answer (REFUSED)")
        case .failed(let code): .init(.lookupFailed, detail: "the name server answers with the error \(code)")
        case .noAnswer(let error) where error != 0:
            .init(.lookupFailed, detail: "no name server answers: \(systemErrorText(error))", systemError: error)
        case .noAnswer: .init(.lookupFailed, detail: "no name server answers")
        case .localFault(let error): .local("lookup", error)
        }
    }
}
