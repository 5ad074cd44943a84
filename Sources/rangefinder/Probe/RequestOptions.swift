import ArgumentParser
import Curl
import Glibc
import Health
import Settings

/// How a request is made, in the words of curl. What isn't given is as the policy says.
struct RequestOptions: ParsableArguments {
    @Option(
        name: [.customShort("H"), .customLong("header")], help: ArgumentHelp("A header of the request.", valueName: "name: value")
    )
    var headers: [String] = []

    @Option(name: [.customShort("X"), .customLong("method")], help: ArgumentHelp("The method.", valueName: "method"))
    var method: String?

    @Option(
        help: ArgumentHelp(
            "A body, or @FILE. As with curl: the method is POST then, and the Content-Type that of a form, unless -X and -H say another.",
            valueName: "text"))
    var data: String?

    @Option(help: ArgumentHelp("How long the whole probe may take, as in 500ms or 10s.", valueName: "time"))
    var timeout: String?

    @Option(help: ArgumentHelp("The statuses that count as good, as in 200 or 200-299,401.", valueName: "statuses"))
    var expectStatus: String?

    @Flag(help: "Don't verify certificates.")
    var insecure = false

    @Flag(name: [.customShort("4"), .customLong("ipv4")], help: "Only addresses of IPv4.")
    var onlyIPv4 = false

    @Flag(name: [.customShort("6"), .customLong("ipv6")], help: "Only addresses of IPv6.")
    var onlyIPv6 = false

    @Option(help: ArgumentHelp("Connect to this address for this host and port.", valueName: "host:port:address"))
    var resolve: [String] = []

    func validate() throws {
        if onlyIPv4, onlyIPv6 { throw ValidationError("Give only one of -4 and -6.") }
        _ = try adjusted(ProbePolicy(), readsFiles: false)
        _ = try places()
    }

    /// - Parameter readsFiles: also the body's.
    func adjusted(_ policy: ProbePolicy, readsFiles: Bool = true) throws -> ProbePolicy {
        var policy = policy
        let typed = try headers.map(ProbeWords.header)
        let names = Set(typed.map { $0.name.lowercased() })
        policy.headers.removeAll { names.contains($0.name.lowercased()) }
        policy.headers += typed
        if let data, readsFiles { policy.body = .secret(Secret(try ProbeWords.body(data))) }
        if data != nil, !policy.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            policy.headers.append(
                ProbePolicy.Header(name: "Content-Type", value: .plain("application/x-www-form-urlencoded")))
        }
        if let method = method ?? (data == nil ? nil : "POST") { policy.method = try ProbeWords.method(method) }
        if let timeout {
            guard let length = parseDuration(timeout), length > .zero, length <= .seconds(3600) else {
                throw ValidationError("--timeout wants a time up to 1h, such as 500ms or 10s.")
            }
            // The interval bounds the timeout of a target that is probed again and again.
            (policy.timeout, policy.interval) = (length, max(policy.interval, length))
        }
        if let expectStatus { policy.expectedStatuses = try ProbeWords.statuses(expectStatus) }
        if insecure { policy.verifiesCertificates = false }
        if onlyIPv4 || onlyIPv6 { policy.addressFamily = onlyIPv4 ? .v4 : .v6 }
        return policy
    }

    /// Where a host and a port are to be found, whatever the name has.
    struct Place {
        let host: String
        let port: Int
        let address: SocketAddress
    }

    func places() throws -> [Place] {
        try resolve.map { text in
            // An address of IPv6 has colons of its own.
            let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3, let port = Int(parts[1]), (1...65_535).contains(port),
                let address = SocketAddress(parts[2].filter { $0 != "[" && $0 != "]" })
            else {
                throw ValidationError("--resolve wants a host, a port and an address, such as example.com:443:192.0.2.1.")
            }
            // As the URL has it: a name that isn't ASCII is sent in Punycode.
            let host = URLParts("http://\(parts[0])/")?.host ?? parts[0].lowercased()
            return Place(host: host, port: port, address: address)
        }
    }
}
