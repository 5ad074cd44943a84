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
        /// Whether there is a target. To look at its identity instead would count references of five strings.
        var isThere = [Bool](repeating: false, count: blockSize)
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
    /// As they were last worked out: see ``grouped()``.
    package private(set) var groups = TargetGroups()
    private var groupsVersion: UInt64 = 0

    package init() {}

    var slotCount: Int { identities.count }

    /// Takes what was worked out of the list of this version.
    ///
    /// Returns whether the list is still that one: otherwise nothing is taken.
    package mutating func take(_ groups: TargetGroups, ofList version: UInt64) -> Bool {
        guard version == listVersion else { return false }
        (self.groups, groupsVersion) = (groups, version)
        self.version += 1
        return true
    }

    /// Whether ``groups`` are of the list as it is.
    package var isGrouped: Bool { groupsVersion == listVersion }

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
        groups.forget(slot: slot)
        (version, listVersion) = (version + 1, listVersion + 1)
        guard before?.identity != identity.identity else { return false }
        if before == nil { count += 1 } else { counts[self[slot].status, default: 0] -= 1 }
        let live = live ?? Live()
        write(live, nil, slot)
        blocks[slot / Self.blockSize].isThere[slot % Self.blockSize] = true
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
        groups.forget(slot: slot)
        write(Live(), nil, slot)
        blocks[slot / Self.blockSize].isThere[slot % Self.blockSize] = false
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

    /// Works out ``groups`` anew: takes long, so not while somebody waits.
    package func grouped() -> TargetGroups { TargetGroups(identities) }

    package subscript(slot: Int) -> Live { blocks[slot / Self.blockSize].rows[slot % Self.blockSize] }

    /// Calls `body` with each target.
    func forEachLive(_ body: (_ slot: Int, Live) -> Void) {
        for (number, block) in blocks.enumerated() {
            let first = number * Self.blockSize
            for offset in 0..<Self.blockSize where block.isThere[offset] { body(first + offset, block.rows[offset]) }
        }
    }
}
