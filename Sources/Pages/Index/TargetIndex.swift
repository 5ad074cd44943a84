package import Health

/// What the pages know of each target without asking the database: who it is, how it is now, and its days.
///
/// A value: a page is made of a copy, while results go on to change the original. The rows that change are in blocks, so that the first change after
/// a copy copies one block and not all rows.
package struct TargetIndex: Sendable {
    /// What is looked for and shown of a target. It changes with the list only.
    package struct Identity: Hashable, Sendable {
        package var identity: TargetIdentity
        package var name: String
        package var region: String
        /// Of the URL that is probed; nil when the record allows none.
        package var host: String?

        package init(identity: TargetIdentity, name: String, region: String, host: String?) {
            (self.identity, self.name, self.region, self.host) = (identity, name, region, host)
        }
    }

    /// How a target is. 32 bytes.
    package struct Live: Hashable, Sendable {
        package var status = Status.unknown
        /// Of the last bad or poor result, as long as the status follows from it.
        package var reason: Reason?
        package var cause: Cause?
        package var isUnprobeable = false
        package var httpStatus: UInt16 = 0
        /// Of the last result, in microseconds; 0 when there is none.
        package var microseconds: UInt32 = 0
        /// Since when the status is what it is.
        package var since: Timestamp?
        /// When the last result that counted started.
        package var lastAt: Timestamp?

        package init() {}
    }

    /// What the last result of a target that is not well said.
    package struct Said: Hashable, Sendable {
        package var sentence: String
        /// That it was found at.
        package var address: String?

        package init(_ sentence: String, address: String?) { (self.sentence, self.address) = (sentence, address) }
    }

    static let blockSize = 2048
    /// So many of these are kept of a block: when everything fails at once, the reason has to say it.
    private static let saidOfBlock = 512

    private struct Block: Sendable {
        var rows = [Live](repeating: Live(), count: blockSize)
        /// Of targets that are not well, by the place in the block.
        var said: [UInt16: Said] = [:]
    }

    /// By slot; nil where there is no target.
    private(set) var identities: [Identity?] = []
    private var blocks: [Block] = []
    package private(set) var count = 0
    package private(set) var counts: [Status: Int] = [:]
    /// Goes up with each change.
    package private(set) var version: UInt64 = 0
    /// Goes up when a target comes, changes or goes.
    package private(set) var listVersion: UInt64 = 0

    package init() {}

    var slotCount: Int { identities.count }

    /// A target comes, or has another form. `live` is what is known of it from an earlier life; a known target keeps what it has.
    ///
    /// Returns whether another target has the slot from now on.
    @discardableResult
    package mutating func set(_ identity: Identity, slot: Int, live: Live? = nil) -> Bool {
        while identities.count <= slot {
            identities.append(nil)
            if blocks.count * Self.blockSize < identities.count {
                blocks.append(Block())
            }
        }
        let before = identities[slot]
        identities[slot] = identity
        (version, listVersion) = (version + 1, listVersion + 1)
        guard before?.identity != identity.identity else { return false }
        if before == nil { count += 1 } else { counts[self[slot].status, default: 0] -= 1 }
        let live = live ?? Live()
        write(live, nil, slot)
        counts[live.status, default: 0] += 1
        return true
    }

    package func holds(_ identity: Identity, slot: Int) -> Bool { slot < identities.count && identities[slot] == identity }

    /// Those that have a target.
    package var slots: [Int] { identities.indices.filter { identities[$0] != nil } }

    package mutating func remove(slot: Int) {
        guard slot < identities.count, identities[slot] != nil else { return }
        counts[self[slot].status, default: 0] -= 1
        identities[slot] = nil
        write(Live(), nil, slot)
        count -= 1
        (version, listVersion) = (version + 1, listVersion + 1)
    }

    /// A result changes how a target is. A result of a target that had the slot before changes nothing.
    ///
    /// - Parameters:
    ///   - said: of the result; nil of a target that is well.
    ///   - keepsSaid: what was said before says more than this result.
    package mutating func change(
        slot: Int, of identity: TargetIdentity, said: Said?, keepsSaid: Bool = false, _ body: (inout Live) -> Void
    ) {
        guard slot < identities.count, identities[slot]?.identity == identity else { return }
        var live = self[slot]
        let before = live.status
        body(&live)
        write(live, keepsSaid ? self.said(slot: slot) : said, slot)
        if before != live.status {
            counts[before, default: 0] -= 1
            counts[live.status, default: 0] += 1
        }
        version += 1
    }

    private mutating func write(_ live: Live, _ said: Said?, _ slot: Int) {
        let (number, place) = (slot / Self.blockSize, UInt16(slot % Self.blockSize))
        blocks[number].rows[Int(place)] = live
        if let said {
            let hasRoom = blocks[number].said[place] != nil || blocks[number].said.count < Self.saidOfBlock
            if hasRoom { blocks[number].said[place] = said }
        } else if !blocks[number].said.isEmpty {
            blocks[number].said[place] = nil
        }
    }

    package func said(slot: Int) -> Said? { blocks[slot / Self.blockSize].said[UInt16(slot % Self.blockSize)] }

    /// nil where there is no target.
    package func identity(slot: Int) -> Identity? { slot < identities.count ? identities[slot] : nil }

    /// By slot, the place of each target in the order of names.
    package var nameRanks: [Int32] {
        let order = slots.sorted { one, other in
            guard let one = identities[one], let other = identities[other] else { return false }
            return one.name != other.name ? one.name < other.name : one.identity.key < other.identity.key
        }
        var ranks = [Int32](repeating: .max, count: identities.count)
        for (rank, slot) in order.enumerated() { ranks[slot] = Int32(rank) }
        return ranks
    }

    /// What the filters of the list offer: what few targets have is found by its name.
    package var choices: TargetListPage.Choices {
        var (regions, hosts, clients): ([String: Int], [String: Int], [String: Int]) = ([:], [:], [:])
        for identity in identities.lazy.compactMap(\.self) {
            regions[identity.region, default: 0] += 1
            if let host = identity.host { hosts[host, default: 0] += 1 }
            clients[identity.identity.clientID, default: 0] += 1
        }
        func most(_ counts: [String: Int]) -> [String] {
            counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(Self.choicesMax).map(\.key).filter { !$0.isEmpty }
                .sorted()
        }
        return .init(regions: most(regions), hosts: most(hosts), clients: most(clients))
    }

    private static let choicesMax = 100

    package subscript(slot: Int) -> Live { blocks[slot / Self.blockSize].rows[slot % Self.blockSize] }

    /// Calls `body` with each target.
    func forEach(_ body: (_ slot: Int, Identity, Live) -> Void) {
        for (number, block) in blocks.enumerated() {
            let first = number * Self.blockSize
            for offset in 0..<min(Self.blockSize, identities.count - first) {
                if let identity = identities[first + offset] { body(first + offset, identity, block.rows[offset]) }
            }
        }
    }
}
