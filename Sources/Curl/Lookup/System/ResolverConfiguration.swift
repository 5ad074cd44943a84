internal import Glibc

/// What resolv.conf(5) says, as far as our own lookups need it.
struct ResolverConfiguration: Hashable, Sendable {
    /// As glibc: more are ignored.
    static let serversMax = 3
    static let searchDomainsMax = 16
    /// After so long without an answer a query is sent again, and each round of the servers waits twice as long as the one before. glibc waits
    /// 5 seconds: then one lost packet would cost half of a probe's time.
    static let defaultSeconds = 1
    /// Where there are several servers, each round asks all of them: 7 seconds in all with one server, 6 with two, 9 with three.
    static let attemptsWithOneServer = 3
    static let attemptsWithMore = 2
    /// glibc's bounds.
    private static let secondsMax = 30
    private static let attemptsMax = 5

    /// In order; never empty.
    private(set) var servers: [SocketAddress] = []
    private(set) var searchDomains: [String] = []
    /// How long the first round waits for an answer of one server.
    private(set) var seconds = Self.defaultSeconds
    /// Rounds of the servers.
    private(set) var attempts = Self.attemptsWithOneServer
    /// Each query begins with another server.
    private(set) var rotates = false
    private(set) var usesTCP = false
    /// One question is sent after the other is answered.
    private(set) var asksOneByOne = false
    /// No AAAA is asked for.
    private(set) var isWithoutIPv6 = false
    /// Something in it is beyond c-ares: a name server whose address has a zone.
    private(set) var isForSystemAlone = false

    /// - Parameters:
    ///   - text: nil: there is no such file, and this machine itself is asked.
    ///   - options: the environment's RES_OPTIONS, which come after those of the file.
    ///   - hostName: whose domain is the search domain where the file names none.
    init(_ text: String?, options: String? = nil, hostName: String) {
        var (hasSeconds, hasAttempts, namesDomains) = (false, false, false)
        for line in (text ?? "").split(separator: "\n") {
            guard let first = line.first, first != "#", first != ";" else { continue }
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let keyword = words.first else { continue }
            switch keyword {
            case "nameserver": if words.count > 1 { addServer(words[1]) }
            case "domain", "search":
                searchDomains = Array(words.dropFirst().prefix(keyword == "domain" ? 1 : Self.searchDomainsMax))
                namesDomains = true
            case "options": for word in words.dropFirst() { read(option: word, &hasSeconds, &hasAttempts) }
            default: break
            }
        }
        for word in (options ?? "").split(whereSeparator: \.isWhitespace) {
            read(option: String(word), &hasSeconds, &hasAttempts)
        }
        if !namesDomains { searchDomains = hostName.split(separator: ".", maxSplits: 1).dropFirst().map(String.init) }
        searchDomains = searchDomains.filter { DNSName($0) != nil && $0 != "." }
        if servers.isEmpty, let ownMachine = SocketAddress("127.0.0.1") { servers = [ownMachine] }
        if !hasAttempts { attempts = servers.count > 1 ? Self.attemptsWithMore : Self.attemptsWithOneServer }
    }

    /// Whether all servers are the stub of systemd-resolved (systemd-resolved.service(8)): who asks it asks what the NSS module `resolve` asks.
    var isStubOfResolved: Bool { servers.allSatisfy { ["127.0.0.53", "127.0.0.54"].contains($0.text) } }

    private mutating func addServer(_ text: String) {
        guard servers.count < Self.serversMax else { return }
        if let address = SocketAddress(text) {
            servers.append(address)
        } else if text.contains("%") {
            isForSystemAlone = true
        }
    }

    private mutating func read(option: String, _ hasSeconds: inout Bool, _ hasAttempts: inout Bool) {
        let parts = option.split(separator: ":", maxSplits: 1)
        let number = parts.count == 2 ? Int(parts[1]) : nil
        switch (parts.first, number) {
        case ("timeout", let number?): (seconds, hasSeconds) = (min(max(number, 1), Self.secondsMax), true)
        case ("attempts", let number?): (attempts, hasAttempts) = (min(max(number, 1), Self.attemptsMax), true)
        case ("rotate", nil): rotates = true
        case ("use-vc", nil): usesTCP = true
        case ("single-request", nil), ("single-request-reopen", nil): asksOneByOne = true
        case ("no-aaaa", nil): isWithoutIPv6 = true
        default: break
        }
    }
}
