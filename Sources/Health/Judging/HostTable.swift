/// The hosts of all targets. Many targets may share one: a provider that fails is one host, and it is bad when more than half of its targets
/// failed last.
package struct HostTable: Sendable {
    package typealias ID = Int32

    private struct Host {
        let name: String
        var targets: Int32 = 0
        var bad: Int32 = 0
        /// Of the target that was asked last.
        var interval: Duration
        /// The index of its class in the judge's list.
        var classIndex: Int
        var network: CIDR?
        var isBad: Bool { 2 * bad > targets }

        func turn(since wasBad: Bool) -> Turn? { wasBad == isBad ? nil : isBad ? .bad : .good }
    }

    enum Turn { case good, bad }

    /// By the bytes of a host's name.
    private var ids: [[UInt8]: ID] = [:]
    private var hosts: [Host?] = []
    private var free: [ID] = []

    /// Returns the host's id, whether the target is the host's first one, and what the target made of the host.
    mutating func add(_ name: String, isBad: Bool, interval: Duration) -> (id: ID, isNew: Bool, turn: Turn?) {
        let bytes = Array(name.utf8)
        let known = ids[bytes]
        let id = known ?? free.popLast() ?? ID(hosts.count)
        if id == hosts.count { hosts.append(nil) }
        ids[bytes] = id
        var host = hosts[Int(id)] ?? Host(name: name, interval: interval, classIndex: 0)
        let before = host.isBad
        host.targets += 1
        host.bad += isBad ? 1 : 0
        hosts[Int(id)] = host
        return (id, known == nil, host.turn(since: before))
    }

    /// A target of the host is gone. Returns whether the target was the host's last one, and what that made of a host that stays.
    mutating func remove(_ id: ID, isBad: Bool) -> (isGone: Bool, turn: Turn?) {
        guard var host = hosts[Int(id)] else { return (false, nil) }
        let before = host.isBad
        host.targets -= 1
        host.bad -= isBad ? 1 : 0
        guard host.targets <= 0 else {
            hosts[Int(id)] = host
            return (false, host.turn(since: before))
        }
        ids[Array(host.name.utf8)] = nil
        hosts[Int(id)] = nil
        free.append(id)
        return (true, nil)
    }

    /// One of its targets has turned. Returns what that made of the host; nil when it is as it was.
    mutating func count(_ id: ID, isBad: Bool) -> Turn? {
        guard var host = hosts[Int(id)] else { return nil }
        let before = host.isBad
        host.bad += isBad ? 1 : -1
        hosts[Int(id)] = host
        return host.turn(since: before)
    }

    func interval(of id: ID) -> Duration { hosts[Int(id)]?.interval ?? .zero }

    func classIndex(of id: ID) -> Int { hosts[Int(id)]?.classIndex ?? 0 }

    /// nil as long as none of its addresses is known.
    func network(of id: ID) -> CIDR? { hosts[Int(id)]?.network }

    mutating func note(interval: Duration, of id: ID) { hosts[Int(id)]?.interval = interval }

    mutating func note(network: CIDR, classIndex: Int, of id: ID) {
        hosts[Int(id)]?.network = network
        hosts[Int(id)]?.classIndex = classIndex
    }
}
