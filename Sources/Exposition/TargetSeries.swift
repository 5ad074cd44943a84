package import Health
import LockOrder

/// The per-target series: one slot a target, filled as results come in, copied for each page.
package final class TargetSeries: Sendable {
    /// How much of a target is on the page: `metrics.per_target`.
    package enum Detail: String, Hashable, Sendable, CaseIterable { case full, essential, none }

    fileprivate struct State: Sendable {
        var detail: Detail
        var withClientID: Bool
        var targets: [SeriesRow] = []
        var labels = LabelTexts([])
        var slots: [TargetIdentity: Int] = [:]
        var store = SeriesStore(slotCount: 0)
        var flagged: [Flag: Set<TargetIdentity>] = [:]
        /// Held since the last ``TargetSeries/beginFlagging()``.
        var heldMeanwhile: Set<TargetIdentity> = []

        mutating func setFlags() { store.flags = flagged.mapValues { Set($0.compactMap { slots[$0] }) } }
    }

    /// Held while a list is taken over, so that its labels can be written without stopping ``record(_:_:judge:)``.
    private let editing = OrderedMutex((), rank: .seriesList)
    private let state: OrderedMutex<State>

    /// `withClientID`: more than one client is configured.
    package init(perTarget detail: Detail = .full, withClientID: Bool = false) {
        state = OrderedMutex(State(detail: detail, withClientID: withClientID))
    }

    /// Takes over what a reload of the configuration changed.
    package func configure(perTarget detail: Detail, withClientID: Bool) {
        editing.withLock { _ in takeOver(nil, configuration: (detail, withClientID)) }
    }

    /// The targets that have series from now on. Known ones keep their values, also under a new name or URL; those that are
    /// gone vanish from the next page on. Of two with one identity the first counts.
    package func replace(_ targets: [SeriesTarget]) {
        editing.withLock { _ in takeOver(targets, configuration: nil) }
    }

    private func takeOver(_ targets: [SeriesTarget]?, configuration: (detail: Detail, withClientID: Bool)?) {
        if let configuration {
            state.withLock { ($0.detail, $0.withClientID) = configuration }
        }
        guard let targets else { return }
        let old = state.withLock { state in (slots: state.slots, detail: state.detail, withClientID: state.withClientID) }
        var new = State(detail: old.detail, withClientID: old.withClientID)
        new.slots.reserveCapacity(targets.count)
        new.targets.reserveCapacity(targets.count)
        var named: [SeriesTarget] = []
        named.reserveCapacity(targets.count)
        for target in targets where new.slots[target.labels.identity] == nil {
            new.slots[target.labels.identity] = new.targets.count
            new.targets.append(SeriesRow(target))
            named.append(target)
        }
        new.labels = LabelTexts(named)
        new.store = SeriesStore(slotCount: named.count)
        for (slot, target) in named.enumerated() {
            new.store[.detectionBound, slot] = target.detectionBound.inSeconds
            new.store[.interval, slot] = target.interval.inSeconds
        }
        let oldSlots = new.targets.map { old.slots[$0.identity] }
        let prepared = new
        state.withLock { state in
            let (latest, flagged, heldMeanwhile) = (state.store, state.flagged, state.heldMeanwhile)
            state = prepared
            (state.flagged, state.heldMeanwhile) = (flagged, heldMeanwhile)
            state.setFlags()
            for (slot, oldSlot) in oldSlots.enumerated() { state.fill(slot, from: oldSlot.map { (latest, $0) }) }
        }
    }

    /// What was known of a target when the daemon last stopped: its status, before the first probe has been made.
    package func restore(_ identity: TargetIdentity, judge: Judge) {
        state.withLock { state in
            if let slot = state.slots[identity] { state.show(judge, at: slot) }
        }
    }

    /// Begins to gather which targets are flagged. What ``hold(_:)`` says from now on is not lost by the next ``flag(held:inMaintenance:)``.
    package func beginFlagging() { state.withLock { $0.heldMeanwhile = [] } }

    /// Which targets' alerts are held, and which targets are in maintenance, as both were found after ``beginFlagging()``.
    package func flag(held: Set<TargetIdentity>, inMaintenance: Set<TargetIdentity>) {
        state.withLock { state in
            let flagged: [Flag: Set<TargetIdentity>] = [
                .held: held.union(state.heldMeanwhile), .inMaintenance: inMaintenance,
            ]
            guard flagged != state.flagged else { return }
            state.flagged = flagged
            state.setFlags()
        }
    }

    /// A doubt holds the alert of one more target.
    package func hold(_ target: TargetIdentity) {
        state.withLock { state in
            guard let slot = state.slots[target] else { return }
            state.heldMeanwhile.insert(target)
            state.flagged[.held, default: []].insert(target)
            state.store.flags[.held, default: []].insert(slot)
        }
    }

    /// Takes over one result. A void one only counts: what was last seen of the target stays. One of a target that is
    /// gone is left out.
    package func record(_ result: ProbeResult, _ judgement: Judgement, judge: Judge) {
        state.withLock { state in
            guard let slot = state.slots[result.target] else { return }
            if result.void != nil {
                state.store[.voids, slot] += 1
                return
            }
            state.store[judgement.outcome.isSuccess ? .successes : .failures, slot] += 1
            state.show(result, judgement.outcome, at: slot)
            state.show(judge, at: slot)
        }
    }

    /// What a page is made of.
    struct Snapshot: Sendable {
        let families: [TargetFamily]
        let labels: LabelTexts
        let withClientID: Bool
        let store: SeriesStore
        /// Which slots, in the order of the list.
        let slots: [Int]
    }

    func snapshot(_ selection: MetricsSelection) -> Snapshot {
        let (detail, withClientID, targets, labels, store) = state.withLock { state in
            (state.detail, state.withClientID, state.targets, state.labels, state.store.copied())
        }
        let families =
            switch detail {
            case .full: TargetFamily.all
            case .essential: TargetFamily.all.filter(\.isEssential)
            case .none: [TargetFamily]()
            }
        let isWhole = selection == MetricsSelection()
        let slots = targets.indices.filter { isWhole || selection.holds(targets[$0]) }
        return Snapshot(families: families, labels: labels, withClientID: withClientID, store: store, slots: slots)
    }
}

/// What the series keep of a target; its labels are text by then.
struct SeriesRow: Sendable {
    let identity: TargetIdentity
    let region: String
    /// In seconds. Shown with the first result.
    let timeout: Double

    init(_ target: SeriesTarget) {
        (identity, region, timeout) = (target.labels.identity, target.labels.region, target.timeout.inSeconds)
    }
}

extension TargetSeries.State {
    /// A slot of a new store: what is known of the target, or what is true of one that was never probed.
    fileprivate mutating func fill(_ slot: Int, from known: (store: SeriesStore, slot: Int)?) {
        if let known {
            for column in Column.ofResults { store[column, slot] = known.store[column, known.slot] }
            for caption in Caption.allCases { store[caption, slot] = known.store[caption, known.slot] }
        } else {
            store[.status, slot] = Double(Status.unknown.code)
            for column in [Column.consecutiveFailures, .successes, .failures, .voids] { store[column, slot] = 0 }
        }
    }

    fileprivate mutating func show(_ judge: Judge, at slot: Int) {
        store[.status, slot] = Double(judge.status.code)
        store[.consecutiveFailures, slot] = Double(judge.streaks.bad)
        store[.cause, slot] = Self.index(of: judge.cause)
    }

    /// As blackbox_exporter: what there was no answer for is 0, a certificate that wasn't seen has no line.
    fileprivate mutating func show(_ result: ProbeResult, _ outcome: Outcome, at slot: Int) {
        let facts = result.facts
        store[.success, slot] = outcome.isSuccess ? 1 : 0
        store[.reason, slot] = Self.index(of: outcome.reason)
        store[.duration, slot] = result.duration.inSeconds
        store[.timeout, slot] = targets[slot].timeout
        store[.lastProbe, slot] = result.startedAt.seconds
        store[.ipProtocol, slot] = facts.address.map { $0.utf8.contains(UInt8(ascii: ":")) ? 6 : 4 } ?? 0
        for phase in Phase.allCases {
            // Without an address there was a lookup, but no request, and so no phases of one.
            let unreached = facts.address == nil && phase != .dns ? Double.nan : 0
            store[phase.column, slot] = result.phases[phase]?.inSeconds ?? unreached
        }
        store[.httpStatus, slot] = Double(facts.httpStatus ?? 0)
        store[.httpVersion, slot] = facts.httpVersion ?? 0
        store[.ssl, slot] = facts.usedTLS ? 1 : 0
        store[.redirects, slot] = Double(facts.redirects)
        store[.contentLength, slot] = Double(facts.contentLength ?? (facts.httpStatus == nil ? 0 : -1))
        store[.bodyLength, slot] = Double(facts.uncompressedBodyLength ?? 0)
        store[.lastModified, slot] = facts.lastModified?.seconds ?? .nan
        store[.failedPattern, slot] = facts.failedPattern ? 1 : 0
        store[.addressHash, slot] = facts.address.map(addressHash) ?? 0
        store[.presentedExpiry, slot] = facts.presentedExpiry?.seconds ?? .nan
        store[.chainExpiry, slot] = facts.certificateExpiry?.seconds ?? .nan
        store[.tlsVersion, slot] = Self.index(of: facts.tlsVersion)
        caption(slot, facts)
    }

    /// Only where something is new: text takes far longer than a number.
    private mutating func caption(_ slot: Int, _ facts: ResponseFacts) {
        if store[.chain, slot]?.source != facts.leaf?.fingerprint {
            store[.chain, slot] = facts.leaf.map { leaf in CaptionText(leaf.fingerprint) { $0.write(leaf) } }
        }
        let cipher = facts.tlsCipher.map { Array($0.utf8) }
        if store[.cipher, slot]?.source != cipher {
            store[.cipher, slot] = cipher.map { name in
                CaptionText(name) {
                    $0.write(",")
                    $0.write(label: "cipher", String(decoding: name, as: UTF8.self))
                }
            }
        }
    }

    private static func index<Word: CaseIterable & Equatable>(of word: Word?) -> Double where Word.AllCases == [Word] {
        word.flatMap { Word.allCases.firstIndex(of: $0) }.map(Double.init) ?? .nan
    }
}

/// FNV-1a of 32 bits over an address's bytes, as blackbox_exporter has it (prober/utils.go).
func addressHash(_ text: String) -> Double {
    guard let address = IPAddress(text) else { return 0 }
    let isMapped = !address.isIPv4 && address.bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
    let bytes = isMapped ? address.bytes.suffix(4) : address.bytes[...]
    return Double(bytes.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 })
}
