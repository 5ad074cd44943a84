internal import CCurl
internal import Glibc

/// The sockets of connections that are kept for requests which reuse them, with where each leads.
///
/// libcurl closes a kept connection when it likes. Ours live no longer than their address is in the lookup's answer: then they are shut
/// down, and libcurl finds them dead and clears them away. For the engine's thread alone.
final class KeptConnections {
    struct Endpoint: Hashable {
        let host: String
        let port: Int
        let address: SocketAddress
    }

    private var endpoints: [Int32: Endpoint] = [:]
    /// Their descriptors by host: each lookup asks for those of one host.
    private var descriptors: [String: Set<Int32>] = [:]

    func opened(_ descriptor: Int32, _ endpoint: Endpoint) {
        closes(descriptor)
        endpoints[descriptor] = endpoint
        descriptors[endpoint.host, default: []].insert(descriptor)
    }

    /// Said before it is.
    func closes(_ descriptor: Int32) {
        guard let endpoint = endpoints.removeValue(forKey: descriptor) else { return }
        descriptors[endpoint.host]?.remove(descriptor)
        if descriptors[endpoint.host]?.isEmpty == true { descriptors[endpoint.host] = nil }
    }

    /// Those of a name whose address its lookup no longer has.
    func endpoints(of name: LookupName, notAmong addresses: [SocketAddress]) -> Set<Endpoint> {
        guard let descriptors = descriptors[name.host] else { return [] }
        let isAsked = { (address: SocketAddress) in name.family == .any || address.isIPv4 == (name.family == .v4) }
        let ofHost = descriptors.compactMap { endpoints[$0] }
        return Set(ofHost.filter { isAsked($0.address) && !addresses.contains($0.address) })
    }

    var all: Set<Endpoint> { Set(endpoints.values) }

    /// Nothing, where it is no kept connection's.
    func shutDown(_ descriptor: Int32) {
        if endpoints[descriptor] != nil { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    func shutDown(_ endpoint: Endpoint) {
        for (descriptor, other) in endpoints where other == endpoint { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
}

/// For CURLOPT_CLOSESOCKETFUNCTION, with the ``KeptConnections`` as its context: libcurl closes nothing itself then.
func closeSocket(_ context: UnsafeMutableRawPointer?, _ descriptor: curl_socket_t) -> Int32 {
    if let context { Unmanaged<KeptConnections>.fromOpaque(context).takeUnretainedValue().closes(descriptor) }
    return close(descriptor)
}
