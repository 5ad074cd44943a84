import Foundation
import Glibc
import Synchronization
import TestSupport

@testable import Curl

/// A name server on loopback, with UDP and TCP at one port. A script answers each query with the messages to send; none is silence.
final class NameServer: Sendable {
    struct Query: Hashable, Sendable {
        var id: UInt16
        /// With dots, in lower case.
        var name: String
        var type: DNSType?
        var isTCP: Bool
        /// From 1: how often this name was asked for with this type, so far.
        var turn: Int
        /// The source port.
        var port: UInt16
        fileprivate var question: [UInt8]
    }

    let port: Int
    /// In the order in which they came.
    let queries = Watched<[Query]>([])
    private let tcp: ConnectionServer
    private let udp: Int32

    init(
        address: String = "127.0.0.1", port wanted: Int? = nil, _ script: @escaping @Sendable (Query) -> [[UInt8]]
    ) throws {
        let queries = self.queries
        let serve = { @Sendable (message: [UInt8], isTCP: Bool, port: UInt16) -> [[UInt8]] in
            guard var query = Query(message, isTCP: isTCP, port: port) else { return [] }
            let (name, type) = (query.name, query.type)
            queries.change { all in
                query.turn = all.count { $0.name == name && $0.type == type } + 1
                all.append(query)
            }
            return script(query)
        }
        tcp = try ConnectionServer(address: address, port: try wanted ?? freePort()) { connection in
            while let length = connection.readExactly(2),
                let message = connection.readExactly(Int(length[0]) << 8 | Int(length[1]))
            {
                for answer in serve(message, true, 0) {
                    connection.send([UInt8(answer.count >> 8), UInt8(truncatingIfNeeded: answer.count)] + answer)
                }
            }
        }
        port = tcp.port
        udp = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = in_port_t(port).bigEndian
        inet_pton(AF_INET, address, &place.sin_addr)
        let bound = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(udp, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard bound == 0 else { throw SupportError.system("bind") }
        Thread.detachNewThread { [udp] in
            Self.serveDatagrams(udp) { serve($0, false, $1) }
            close(udp)
        }
    }

    deinit { shutdown(udp, Int32(SHUT_RDWR)) }

    func count(_ name: String) -> Int { queries.value.count { $0.name == name } }

    private static func serveDatagrams(_ descriptor: Int32, _ serve: ([UInt8], UInt16) -> [[UInt8]]) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            var from = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &from) { from in
                from.withMemoryRebound(to: sockaddr.self, capacity: 1) { from in
                    let count = recvfrom(descriptor, &buffer, buffer.count, 0, from, &length)
                    guard count > 0 else {
                        length = 0
                        return
                    }
                    let port = UnsafeRawPointer(from).loadUnaligned(as: sockaddr_in.self).sin_port.bigEndian
                    for answer in serve(Array(buffer[..<count]), port) {
                        sendto(descriptor, answer, answer.count, 0, from, length)
                    }
                }
            }
            if length == 0 { return }
        }
    }
}

extension NameServer.Query {
    fileprivate init?(_ message: [UInt8], isTCP: Bool, port: UInt16) {
        guard message.count > 12 else { return nil }
        var labels: [String] = []
        var offset = 12
        while offset < message.count, message[offset] > 0, offset + Int(message[offset]) < message.count {
            labels.append(String(decoding: message[(offset + 1)...(offset + Int(message[offset]))], as: UTF8.self))
            offset += Int(message[offset]) + 1
        }
        guard offset + 5 <= message.count else { return nil }
        id = UInt16(message[0]) << 8 | UInt16(message[1])
        name = labels.joined(separator: ".")
        type = DNSType(rawValue: UInt16(message[offset + 1]) << 8 | UInt16(message[offset + 2]))
        question = Array(message[12..<(offset + 5)])
        (self.isTCP, self.port, turn) = (isTCP, port, 0)
    }

    /// A record as it is sent.
    struct Record {
        var name: String
        var type: UInt16
        var seconds: UInt32 = 60
        var data: [UInt8]

        static func address(_ name: String, _ text: String, seconds: UInt32 = 60) -> Record {
            let bytes = SocketAddress(text)?.bytes ?? []
            return Record(name: name, type: bytes.count == 4 ? 1 : 28, seconds: seconds, data: bytes)
        }

        static func alias(_ name: String, _ target: String, seconds: UInt32 = 60) -> Record {
            Record(name: name, type: 5, seconds: seconds, data: DNSName(target)?.bytes ?? [])
        }

        var bytes: [UInt8] {
            let time = (0..<4).map { UInt8(truncatingIfNeeded: seconds >> (24 - 8 * $0)) }
            let head = [UInt8(type >> 8), UInt8(truncatingIfNeeded: type), 0, 1] + time
            return (DNSName(name)?.bytes ?? [0]) + head + [UInt8(data.count >> 8), UInt8(truncatingIfNeeded: data.count)] + data
        }
    }

    func answer(_ records: [Record] = [], code: UInt8 = 0, isTruncated: Bool = false, id other: UInt16? = nil) -> [UInt8] {
        let id = other ?? id
        let head: [UInt8] = [UInt8(id >> 8), UInt8(truncatingIfNeeded: id), isTruncated ? 0x83 : 0x81, 0x80 | code, 0, 1]
        let count = [UInt8(records.count >> 8), UInt8(truncatingIfNeeded: records.count), 0, 0, 0, 0]
        return head + count + question + records.flatMap(\.bytes)
    }

    /// Those of the addresses that are of its type.
    func answer(addresses: [String], seconds: UInt32 = 60) -> [UInt8] {
        answer(addresses.map { .address(name, $0, seconds: seconds) }.filter { $0.type == type?.rawValue })
    }
}

/// A resolver with files of its own that asks a name server of the test's.
final class ResolverBench: Sendable {
    let folder: TemporaryFolder
    let resolver: NameResolver
    /// Names that the system was asked for.
    let askedOfSystem = Watched<[String]>([])

    init(
        port: Int, hosts: String = "127.0.0.1 localhost\n", services: String = "hosts: files dns\n",
        resolvConf: String = "nameserver 127.0.0.1\n", families: MachineFamilies = .init(hasIPv4: true, hasIPv6: true)
    ) throws {
        folder = try TemporaryFolder()
        let files = ResolverFiles(
            hosts: try folder.write(hosts, to: "hosts"), nameServiceSwitch: try folder.write(services, to: "nsswitch.conf"),
            resolvConf: try folder.write(resolvConf, to: "resolv.conf"), port: UInt16(port), families: { families })
        resolver = NameResolver(files: files) { [askedOfSystem] name in
            askedOfSystem.change { $0.append(name.host) }
            return .addresses([SocketAddress("192.0.2.99")].compactMap(\.self))
        }
    }

    func engine() throws -> TransferEngine { try TransferEngine(resolver: resolver) }

    /// Looks up a name, and connects to none of its addresses: ``TransferReport/resolved`` has them, and the failure is `addressDenied`.
    func look(
        _ host: String, in engine: TransferEngine? = nil, timeout: Duration = .seconds(20),
        _ change: (inout TransferRequest) -> Void = { _ in }
    ) async throws -> TransferReport {
        let wanted = try request("http://\(host)/", timeout: timeout) {
            $0.allows = { _ in false }
            $0.usesSearchDomains = false
            change(&$0)
        }
        return try await (engine ?? self.engine()).transfer(wanted)
    }
}
