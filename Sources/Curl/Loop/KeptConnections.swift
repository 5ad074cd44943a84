internal import CCurl
internal import Glibc

/// The sockets of connections that are kept for requests which reuse them, with where each leads.
///
/// libcurl closes a kept connection when it likes. Ours live no longer than their address is in the lookup's answer: then they are shut
/// down, and libcurl finds them dead and clears them away. For the engine's thread alone.
final class KeptConnections {
    struct Place: Hashable {
        let host: String
        let port: Int
        let address: SocketAddress
    }

    private var places: [Int32: Place] = [:]
    /// Of all connections to a place together: on one of them requests take turns, and what one reads may be another's answer.
    private var credits: [Place: (connections: Int, credit: ReadCredit)] = [:]

    func opened(_ descriptor: Int32, _ place: Place) {
        places[descriptor] = place
        credits[place, default: (0, ReadCredit())].connections += 1
    }

    /// Said before it is.
    func closes(_ descriptor: Int32) {
        guard let place = places.removeValue(forKey: descriptor), let others = credits[place]?.connections else { return }
        if others > 1 { credits[place]?.connections -= 1 } else { credits[place] = nil }
    }

    /// Answers whether the place may send on.
    func read(_ bytes: Int, ofUse useful: Int, from place: Place) -> Bool {
        credits[place]?.credit.read(bytes, ofUse: useful) ?? true
    }

    /// Those of a name whose address its lookup no longer has.
    func places(of name: LookupName, notAmong addresses: [SocketAddress]) -> Set<Place> {
        guard !places.isEmpty else { return [] }
        let isAsked = { (address: SocketAddress) in name.family == .any || address.isIPv4 == (name.family == .v4) }
        return Set(places.values.filter { $0.host == name.host && isAsked($0.address) && !addresses.contains($0.address) })
    }

    var all: Set<Place> { Set(places.values) }

    func shutDown(_ place: Place) {
        for (descriptor, other) in places where other == place { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
}

/// Ends what sends on and on and says nothing: of all that is read, some must be header or body.
///
/// Honest overhead is a handshake, a chunk's length, a frame's head, a TLS record's, around pieces of body of one byte even.
struct ReadCredit {
    private static let most = 256 << 10
    private static let bytesPerUsefulByte = 64
    private var left = most

    /// Answers whether some is left.
    mutating func read(_ bytes: Int, ofUse useful: Int) -> Bool {
        left = min(Self.most, left + useful * Self.bytesPerUsefulByte - bytes)
        return left >= 0
    }
}

/// For CURLOPT_CLOSESOCKETFUNCTION, with the ``KeptConnections`` as its context: libcurl closes nothing itself then.
func closeSocket(_ context: UnsafeMutableRawPointer?, _ descriptor: curl_socket_t) -> Int32 {
    if let context { Unmanaged<KeptConnections>.fromOpaque(context).takeUnretainedValue().closes(descriptor) }
    return close(descriptor)
}
