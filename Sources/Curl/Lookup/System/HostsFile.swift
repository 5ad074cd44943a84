/// The names that hosts(5) has, whatever their addresses: those names are the system's to look up.
struct HostsFile: Sendable {
    private var names: Set<String> = []

    /// - Parameter text: nil: there is no such file.
    init(_ text: String?) {
        guard let text else { return }
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let content = line.prefix { $0 != UInt8(ascii: "#") }
            let words = content.split { [0x20, 0x09, 0x0d, 0x0b, 0x0c].contains($0) }
            for name in words.dropFirst() { names.insert(Self.key(name)) }
        }
    }

    /// In any case; a dot at the end makes it another name, as in glibc.
    func contains(_ host: String) -> Bool { names.contains(Self.key(host.utf8)) }

    private static func key(_ name: some Collection<UInt8>) -> String { String(decoding: name.map(inLowerCase), as: UTF8.self) }
}
