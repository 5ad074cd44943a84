package import Health
import Synchronization

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
        var slab = Slab(slotCount: 0)
        var marked: [Mark: Set<TargetIdentity>] = [:]

        mutating func mark() { slab.marks = marked.mapValues { Set($0.compactMap { slots[$0] }) } }
    }

    /// Held while a list is taken over, so that its labels can be written without stopping ``record(_:_:judge:)``.
    private let editing = Mutex(())
    private let state: Mutex<State>

    /// `withClientID`: more than one client is configured.
    package init(perTarget detail: Detail = .full, withClientID: Bool = false) {
        state = Mutex(State(detail: detail, withClientID: withClientID))
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
        new.slab = Slab(slotCount: named.count)
        for (slot, target) in named.enumerated() {
            new.slab[.detectionBound, slot] = target.detectionBound.inSeconds
            new.slab[.interval, slot] = target.interval.inSeconds
        }
        let oldSlots = new.targets.map { old.slots[$0.identity] }
        let prepared = new
        state.withLock { state in
            let (latest, marked) = (state.slab, state.marked)
            state = prepared
            state.marked = marked
            state.mark()
            for (slot, oldSlot) in oldSlots.enumerated() { state.fill(slot, from: oldSlot.map { (latest, $0) }) }
        }
    }

    /// What was known of a target when the daemon last stopped: its status, before the first probe has been made.
    package func restore(_ identity: TargetIdentity, judge: Judge) {
        state.withLock { state in
            if let slot = state.slots[identity] { state.show(judge, at: slot) }
        }
    }

    /// Which targets' alerts are held now, and which are in maintenance.
    ///
    /// Both are asked for under this room's lock, so that none of ``hold(_:)`` is lost meanwhile.
    package func mark(held: () -> Set<TargetIdentity>, inMaintenance: () -> Set<TargetIdentity>) {
        state.withLock { state in
            let marked: [Mark: Set<TargetIdentity>] = [.held: held(), .inMaintenance: inMaintenance()]
            guard marked != state.marked else { return }
            state.marked = marked
            state.mark()
        }
    }

    /// A doubt holds the alert of one more target.
    package func hold(_ target: TargetIdentity) {
        state.withLock { state in
            guard let slot = state.slots[target] else { return }
            state.marked[.held, default: []].insert(target)
            state.slab.marks[.held, default: []].insert(slot)
        }
    }

    /// Takes over one result. A void one only counts: what was last seen of the target stays. One of a target that is
    /// gone is left out.
    package func record(_ result: ProbeResult, _ judgement: Judgement, judge: Judge) {
        state.withLock { state in
            guard let slot = state.slots[result.target] else { return }
            if result.void != nil {
                state.slab[.voids, slot] += 1
                return
            }
            state.slab[judgement.outcome.isSuccess ? .successes : .failures, slot] += 1
            state.show(result, judgement.outcome, at: slot)
            state.show(judge, at: slot)
        }
    }

    /// What a page is made of.
    struct Snapshot: Sendable {
        let families: [TargetFamily]
        let labels: LabelTexts
        let withClientID: Bool
        let slab: Slab
        /// Which slots, in the order of the list.
        let slots: [Int]
    }

    func snapshot(_ selection: MetricsSelection) -> Snapshot {
        let (detail, withClientID, targets, labels, slab) = state.withLock { state in
            (state.detail, state.withClientID, state.targets, state.labels, state.slab.copied())
        }
        let families =
            switch detail {
            case .full: TargetFamily.all
            case .essential: TargetFamily.all.filter(\.isEssential)
            case .none: [TargetFamily]()
            }
        let isWhole = selection == MetricsSelection()
        let slots = targets.indices.filter { isWhole || selection.holds(targets[$0]) }
        return Snapshot(families: families, labels: labels, withClientID: withClientID, slab: slab, slots: slots)
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
    /// A slot of a new slab: what is known of the target, or what is true of one that was never probed.
    fileprivate mutating func fill(_ slot: Int, from known: (slab: Slab, slot: Int)?) {
        if let known {
            for column in Column.ofResults { slab[column, slot] = known.slab[column, known.slot] }
            for caption in Caption.allCases { slab[caption, slot] = known.slab[caption, known.slot] }
        } else {
            slab[.status, slot] = Double(Status.unknown.code)
            for column in [Column.consecutiveFailures, .successes, .failures, .voids] { slab[column, slot] = 0 }
        }
    }

    fileprivate mutating func show(_ judge: Judge, at slot: Int) {
        slab[.status, slot] = Double(judge.status.code)
        slab[.consecutiveFailures, slot] = Double(judge.streaks.bad)
        slab[.cause, slot] = Self.index(of: judge.cause)
    }

    /// As blackbox_exporter: what there was no answer for is 0, a certificate that wasn't seen has no line.
    fileprivate mutating func show(_ result: ProbeResult, _ outcome: Outcome, at slot: Int) {
        let (phases, facts) = (result.phases, result.facts)
        slab[.success, slot] = outcome.isSuccess ? 1 : 0
        slab[.reason, slot] = Self.index(of: outcome.reason)
        slab[.duration, slot] = result.duration.inSeconds
        slab[.timeout, slot] = targets[slot].timeout
        slab[.lastProbe, slot] = result.startedAt.seconds
        slab[.ipProtocol, slot] = facts.address.map { $0.utf8.contains(UInt8(ascii: ":")) ? 6 : 4 } ?? 0
        slab[.resolve, slot] = phases.dns?.inSeconds ?? 0
        // Without an address there was no request, so there are no phases of one.
        let unreached = facts.address == nil ? Double.nan : 0
        slab[.connect, slot] = phases.connect?.inSeconds ?? unreached
        slab[.tls, slot] = phases.tls?.inSeconds ?? unreached
        slab[.processing, slot] = phases.processing?.inSeconds ?? unreached
        slab[.transfer, slot] = phases.transfer?.inSeconds ?? unreached
        slab[.httpStatus, slot] = Double(facts.httpStatus ?? 0)
        slab[.httpVersion, slot] = facts.httpVersion ?? 0
        slab[.ssl, slot] = facts.usedTLS ? 1 : 0
        slab[.redirects, slot] = Double(facts.redirects)
        slab[.contentLength, slot] = Double(facts.contentLength ?? (facts.httpStatus == nil ? 0 : -1))
        slab[.bodyLength, slot] = Double(facts.uncompressedBodyLength ?? 0)
        slab[.lastModified, slot] = facts.lastModified?.seconds ?? .nan
        slab[.failedPattern, slot] = facts.failedPattern ? 1 : 0
        slab[.addressHash, slot] = facts.address.map(addressHash) ?? 0
        slab[.presentedExpiry, slot] = facts.presentedExpiry?.seconds ?? .nan
        slab[.chainExpiry, slot] = facts.certificateExpiry?.seconds ?? .nan
        slab[.tlsVersion, slot] = Self.index(of: facts.tlsVersion)
        caption(slot, facts)
    }

    /// Only where something is new: text takes far longer than a number.
    private mutating func caption(_ slot: Int, _ facts: ResponseFacts) {
        if slab[.chain, slot]?.source != facts.leaf?.fingerprint {
            slab[.chain, slot] = facts.leaf.map { leaf in CaptionText(leaf.fingerprint) { $0.write(leaf) } }
        }
        let cipher = facts.tlsCipher.map { Array($0.utf8) }
        if slab[.cipher, slot]?.source != cipher {
            slab[.cipher, slot] = cipher.map { name in
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
