/// The records that are asked for.
enum DNSType: UInt16, Hashable, Sendable {
    case a = 1
    case aaaa = 28

    var addressBytes: Int { self == .a ? 4 : 16 }
}

/// What a name server's answer says.
enum DNSReply: Hashable, Sendable {
    /// At least one. The time to live is the least of those of the records that lead to the addresses, in seconds.
    case addresses([SocketAddress], timeToLive: UInt32)
    /// The name exists, and has no address of this type.
    case noAddress
    /// NXDOMAIN.
    case noSuchName
    /// Another response code, RFC 1035 section 4.1.1.
    case failed(responseCode: UInt8)
    /// It is no answer to the question, or its bytes are no DNS message.
    case unreadable
}

/// Messages as RFC 1035 section 4 has them.
enum DNSMessage {
    static let headerBytes = 12
    static let noSuchName: UInt8 = 3
    private static let internetClass: UInt16 = 1
    private static let aliasType: UInt16 = 5
    /// So many aliases are followed. BIND follows 16.
    private static let aliasesMax = 16

    /// A query that wants recursion.
    static func query(_ id: UInt16, _ name: DNSName, _ type: DNSType) -> [UInt8] {
        let recursionDesired: UInt8 = 1
        let header: [UInt8] = [UInt8(id >> 8), UInt8(truncatingIfNeeded: id), recursionDesired, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        return header + name.bytes + [0, UInt8(type.rawValue), 0, UInt8(internetClass)]
    }

    /// Believes a record only where a chain of aliases leads to its name from the name that was asked for. An answer can hold records of any
    /// name, and those are nobody's word.
    static func read(_ message: UnsafeRawBufferPointer, asked name: DNSName, _ type: DNSType) -> DNSReply {
        var reader = DNSReader(message)
        guard let header = reader.header(), header.isResponse, header.questions == 1,
            reader.name() == name, reader.uint16() == type.rawValue, reader.uint16() == internetClass
        else { return .unreadable }
        if header.responseCode == noSuchName { return .noSuchName }
        guard header.responseCode == 0 else { return .failed(responseCode: header.responseCode) }
        var answer = Records()
        for _ in 0..<header.answers {
            guard let record = reader.record() else { return .unreadable }
            guard record.recordClass == internetClass else { continue }
            if record.type == aliasType {
                guard let target = reader.name(at: record.data.lowerBound) else { return .unreadable }
                answer.note(alias: record.name, target, record.timeToLive)
            } else if record.type == type.rawValue, record.data.count == type.addressBytes,
                let address = SocketAddress(bytes: Array(message[record.data]))
            {
                answer.note(address, of: record.name, record.timeToLive)
            }
        }
        return answer.reply(to: name, aliasesMax: aliasesMax)
    }
}

/// The records of one answer.
private struct Records {
    private var aliases: [DNSName: (target: DNSName, timeToLive: UInt32)] = [:]
    private var addresses: [DNSName: (list: [SocketAddress], timeToLive: UInt32)] = [:]

    /// The first one of a name counts: it has one only.
    mutating func note(alias name: DNSName, _ target: DNSName, _ timeToLive: UInt32) {
        if aliases[name] == nil { aliases[name] = (target, timeToLive) }
    }

    mutating func note(_ address: SocketAddress, of name: DNSName, _ timeToLive: UInt32) {
        let before = addresses[name]?.timeToLive ?? .max
        addresses[name, default: ([], .max)].list.append(address)
        addresses[name]?.timeToLive = min(before, timeToLive)
    }

    func reply(to name: DNSName, aliasesMax: Int) -> DNSReply {
        var (name, timeToLive) = (name, UInt32.max)
        for _ in 0...aliasesMax {
            if let found = addresses[name] {
                return .addresses(found.list, timeToLive: min(timeToLive, found.timeToLive))
            }
            guard let alias = aliases[name] else { return .noAddress }
            (name, timeToLive) = (alias.target, min(timeToLive, alias.timeToLive))
        }
        return .unreadable
    }
}
