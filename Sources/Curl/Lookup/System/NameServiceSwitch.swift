/// What the line `hosts:` of nsswitch.conf(5) means for our own lookups: which names the system's modules must be asked for.
struct NameServiceSwitch: Hashable, Sendable {
    /// False: every name is the system's. Then the line has no `dns`, or something stands before it that only the system can ask.
    private(set) var asksDNS = false
    /// Names under `.local` are asked by multicast (RFC 6762).
    private(set) var isLocalMulticast = false
    /// `resolve` stands before `dns`: systemd-resolved is asked, and its answer is the last word.
    private(set) var asksResolvedFirst = false
    /// `myhostname`: the machine knows its own name.
    private(set) var knowsOwnName = false
    /// After `dns` there are modules that may know a name that DNS doesn't.
    private(set) var goesOnAfterDNS = false

    private struct Service {
        var name: String
        /// As in `notfound=return`, in lower case.
        var actions: [String] = []
    }

    /// - Parameter text: nil: there is no such file, and glibc asks files and DNS.
    init(_ text: String?) {
        let services = Self.services(text ?? "") ?? [Service(name: "files"), Service(name: "dns")]
        guard let index = services.firstIndex(where: { $0.name == "dns" }) else { return }
        // An answer that is merged with another module's, or passed over, is the system's to make.
        guard !services.contains(where: { $0.actions.contains { $0.hasPrefix("success=") } }) else { return }
        var isOurs = true
        for service in services[..<index] {
            switch service.name {
            case "files": isOurs = isOurs && service.actions.isEmpty
            case "myhostname": (knowsOwnName, isOurs) = (true, isOurs && service.actions.isEmpty)
            case "mdns_minimal", "mdns4_minimal", "mdns6_minimal": isLocalMulticast = true
            case "resolve": (asksResolvedFirst, isLocalMulticast) = (true, true)
            default: isOurs = false
            }
        }
        asksDNS = isOurs
        for service in services[(index + 1)...] {
            switch service.name {
            case "files", "dns": break
            case "myhostname": knowsOwnName = true
            case let name where name.hasPrefix("mdns"): isLocalMulticast = true
            default: goesOnAfterDNS = true
            }
        }
    }

    /// nil without such a line. The last one counts.
    private static func services(_ text: String) -> [Service]? {
        let lines = text.split(separator: "\n").map { $0.prefix { $0 != "#" }.drop(while: \.isWhitespace) }
        guard let line = lines.last(where: { $0.hasPrefix("hosts:") }) else { return nil }
        var services: [Service] = []
        var isInActions = false
        // The brackets may touch the words.
        let spaced = line.dropFirst("hosts:".count).map { $0 == "[" || $0 == "]" ? " \($0) " : String($0) }.joined()
        for word in spaced.split(whereSeparator: \.isWhitespace).map({ $0.lowercased() }) {
            switch word {
            case "[": isInActions = true
            case "]": isInActions = false
            case _ where !isInActions: services.append(Service(name: word))
            case _ where !services.isEmpty: services[services.count - 1].actions.append(word)
            default: break
            }
        }
        return services
    }
}
