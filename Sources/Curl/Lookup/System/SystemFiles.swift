internal import CCurl
internal import Glibc

/// Where a resolver's configuration stands.
struct ResolverFiles: Sendable {
    var hosts = "/etc/hosts"
    var nameServiceSwitch = "/etc/nsswitch.conf"
    var resolvConf = "/etc/resolv.conf"
    /// Of the name servers.
    var port: UInt16 = 53
    var families: @Sendable () -> MachineFamilies = { .ofThisMachine }
}

/// Which names are DNS's and which the system's, by files that are read again when they have changed. For one thread.
struct SystemFiles {
    enum Route: Hashable {
        case dns
        case system
    }

    /// Files are looked at once in so long, and only when a name is to be looked up.
    private static let nanosecondsBetweenLooks: UInt64 = 1_000_000_000
    /// A longer file is not read: every name is the system's then.
    private static let bytesMax = 16 << 20

    private let files: ResolverFiles
    private var lookedAt: UInt64?
    private var forms: [FileForm?] = [nil, nil, nil]
    private var hosts: HostsFile? = HostsFile(nil)
    private var services = NameServiceSwitch(nil)
    private var hostName = ""
    /// Of resolv.conf.
    private var isTooLong = false
    private(set) var configuration = ResolverConfiguration(nil, hostName: "")
    private(set) var families = MachineFamilies(hasIPv4: true, hasIPv6: true)

    init(_ files: ResolverFiles) { self.files = files }

    /// DNS's word that there is no such name, or no address, is not the last one.
    var goesOnAfterDNS: Bool { services.goesOnAfterDNS }

    /// - Parameter now: nanoseconds of the monotonic clock.
    mutating func look(now: UInt64) {
        if let lookedAt, now < lookedAt + Self.nanosecondsBetweenLooks { return }
        let isFirst = lookedAt == nil
        lookedAt = now
        families = files.families()
        let name = ownHostName()
        if takeUp(0, files.hosts) || isFirst { hosts = Self.text(of: files.hosts).map { HostsFile($0) } }
        if takeUp(1, files.nameServiceSwitch) || isFirst {
            services = Self.text(of: files.nameServiceSwitch).map { NameServiceSwitch($0) } ?? NameServiceSwitch("hosts:")
        }
        if takeUp(2, files.resolvConf) || isFirst || name != hostName {
            let options = getenv("RES_OPTIONS").map { String(cString: $0) }
            let text = Self.text(of: files.resolvConf)
            configuration = ResolverConfiguration(text ?? "", options: options, hostName: name)
            isTooLong = text == nil
        }
        hostName = name
    }

    func route(_ name: LookupName) -> Route {
        let host = name.host
        // Those that getaddrinfo(3) reads as numbers, as in 127.1; those that are no names of DNS; and those that glibc takes for no host's.
        var number = in_addr()
        guard host.utf8.dropLast().contains(UInt8(ascii: ".")), host.utf8.first != UInt8(ascii: "-"),
            host.utf8.allSatisfy(isHostByte), DNSName(host) != nil,
            inet_aton(host, &number) == 0
        else { return .system }
        guard !name.usesSearchDomains, services.asksDNS, !isTooLong, !configuration.isForSystemAlone else { return .system }
        if services.asksResolvedFirst && !configuration.isStubOfResolved { return .system }
        if configuration.isWithoutIPv6, name.family == .v6 { return .system }
        guard let hosts, !hosts.contains(host) else { return .system }
        let plain = host.hasSuffix(".") ? String(host.dropLast()) : host
        if plain.hasSuffix(".localhost") || services.isLocalMulticast && plain.hasSuffix(".local") { return .system }
        return services.knowsOwnName && plain == hostName.lowercased() ? .system : .dns
    }

    /// Whether the file is another one than last time. One that was just written may be written again at the same time of the kernel's clock.
    private mutating func takeUp(_ index: Int, _ path: String) -> Bool {
        let form = FileForm(path)
        defer { forms[index] = form }
        return form != forms[index] || form?.isSettled == false
    }

    /// Empty where it can't be read; nil where it is too long.
    private static func text(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        let part = 64 << 10
        while bytes.count <= bytesMax {
            let before = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: part))
            let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress.map { $0 + before }, part) }
            bytes.removeLast(part - max(0, count))
            if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
        }
        return nil
    }
}

/// Of the names that URLs have; a hyphen, a dot and an underscore among them.
private func isHostByte(_ byte: UInt8) -> Bool {
    (97...122).contains(byte | 0x20) || (48...57).contains(byte) || [45, 46, 95].contains(byte)
}

private func ownHostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
