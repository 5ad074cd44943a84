/// Which names are being looked up and who waits for them; the engine's loop carries out what it decides.
///
/// One lookup a name at a time, at most `limit` running; the rest wait their turn. A lookup that hangs keeps its name and its
/// place until the system's resolver lets go, and nothing else: whoever waits for it leaves at their own deadline.
struct LookupTable {
    private struct Lookup {
        var waiters: Set<UInt64> = []
        var isRunning = false
        /// Whether anyone who asked would use the answer again.
        var isReusable = false
    }

    private struct Remembered {
        let addresses: [SocketAddress]
        let at: UInt64
    }

    /// Names whose answers are remembered; past it all are forgotten, which costs a lookup each.
    static let rememberedLimit = 20_000

    private let limit: Int
    private var lookups: [LookupName: Lookup] = [:]
    private var queue = BurstQueue<LookupName>()
    private var remembered: [LookupName: Remembered] = [:]
    private(set) var running = 0

    init(limit: Int) { self.limit = limit }

    /// A good answer no older than `keep`.
    func recall(_ name: LookupName, keep: UInt64, now: UInt64) -> [SocketAddress]? {
        // The answer may be newer than the transfer that asks: it waited for another name meanwhile.
        guard keep > 0, let answer = remembered[name], answer.at >= now || now - answer.at <= keep else { return nil }
        return answer.addresses
    }

    mutating func wait(for name: LookupName, _ id: UInt64, keep: UInt64) {
        if lookups[name] == nil { queue.append(name) }
        lookups[name, default: Lookup()].waiters.insert(id)
        if keep > 0 { lookups[name]?.isReusable = true }
    }

    /// The next lookup to start a thread for, when one may start; it counts as running from here on.
    mutating func next() -> LookupName? {
        while running < limit, let name = queue.popFirst() {
            if lookups[name]?.waiters.isEmpty ?? true {
                lookups[name] = nil
                continue
            }
            lookups[name]?.isRunning = true
            running += 1
            return name
        }
        return nil
    }

    /// Leaves a lookup to itself. Answers whether it was running: if not, it had no chance to answer in time.
    mutating func leave(_ name: LookupName, _ id: UInt64) -> Bool {
        lookups[name]?.waiters.remove(id)
        return lookups[name]?.isRunning ?? false
    }

    /// Ends a lookup. Answers those who still wait for it.
    mutating func finish(_ name: LookupName, _ answer: LookupAnswer, now: UInt64) -> Set<UInt64> {
        guard let lookup = lookups.removeValue(forKey: name) else { return [] }
        running -= 1
        if case .addresses(let addresses) = answer, lookup.isReusable {
            if remembered.count >= Self.rememberedLimit { remembered = [:] }
            remembered[name] = Remembered(addresses: addresses, at: now)
        }
        return lookup.waiters
    }
}
