// TargetsAPI: the contract of the Targets API, once for both sides of it.
// What lives here: routes, documents and their JSON, the client over an injected transport, the feed (guard and diff).
// What doesn't: I/O (Daemon hands the transport in), storage, timers, and whether a URL can be probed (Probing says).
// Lists go on to Daemon, which hands them to Scheduling and History; TargetsServer answers with the same documents.
// The terms are defined in docs/glossary.md.

package import Health

/// One place of the API: `/api/clients/{clientId}/targets`, or `…/targets/{targetId}`.
package enum TargetsRoute: Hashable, Sendable {
    case list(clientID: String)
    case target(TargetIdentity)

    /// Percent-encoded, without query.
    package var path: String {
        switch self {
        case .list(let clientID): "/api/clients/\(percentEncoded(clientID))/targets"
        case .target(let identity):
            "/api/clients/\(percentEncoded(identity.clientID))/targets/\(percentEncoded(identity.key))"
        }
    }

    /// Reads a percent-encoded path. nil when it is no place of this API, or an id in it is empty, past ``Target/keyLimit`` or not
    /// UTF-8: a replacement character that isn't encoded stands for a byte that was none, and another byte would be the same id.
    package init?(path: some StringProtocol) {
        guard !path.unicodeScalars.contains("\u{FFFD}") else { return nil }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard (5...6).contains(parts.count), parts[0].isEmpty, parts[1] == "api", parts[2] == "clients", parts[4] == "targets",
            let clientID = Self.id(parts[3])
        else { return nil }
        guard parts.count == 6 else {
            self = .list(clientID: clientID)
            return
        }
        guard let key = Self.id(parts[5]) else { return nil }
        self = .target(TargetIdentity(clientID: clientID, key: key))
    }

    private static func id(_ part: some StringProtocol) -> String? {
        guard let id = percentDecoded(part), (1...Target.keyLimit).contains(id.utf8.count) else { return nil }
        return id
    }
}

/// Everything but RFC 3986's unreserved characters is encoded, and dots too when there is nothing else: `..` as an id must not
/// climb out of its place.
private func percentEncoded(_ segment: String) -> String {
    let isOnlyDots = segment.utf8.allSatisfy { $0 == UInt8(ascii: ".") }
    var encoded: [UInt8] = []
    for byte in segment.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"):
            encoded.append(byte)
        case UInt8(ascii: ".") where !isOnlyDots:
            encoded.append(byte)
        default:
            encoded += Hex.percentEncoded(byte)
        }
    }
    return String(decoding: encoded, as: UTF8.self)
}
