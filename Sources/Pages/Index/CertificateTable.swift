package import Health

/// Which certificate each target shows, by slot. A certificate that many targets show is there once.
package struct CertificateTable: Sendable {
    private struct Entry: Sendable {
        let fingerprint: [UInt8]
        let subject: String
        let issuer: String
        var expiry: Timestamp
        var count: Int
    }

    private static let none: Int32 = -1
    private var slots: [Int32] = []
    private var entries: [Entry?] = []
    private var free: [Int32] = []
    private var places: [[UInt8]: Int32] = [:]

    package init() {}

    package var count: Int { places.count }

    /// A target shows a certificate.
    ///
    /// - Parameter expiry: the first in its verified chain.
    package mutating func set(_ leaf: LeafCertificate, expiry: Timestamp, slot: Int) {
        if slots.count <= slot { slots.append(contentsOf: repeatElement(Self.none, count: slot + 1 - slots.count)) }
        let known = slots[slot]
        if known != Self.none, entries[Int(known)]?.fingerprint == leaf.fingerprint {
            // Nearly always.
            if entries[Int(known)]?.expiry != expiry { entries[Int(known)]?.expiry = expiry }
            return
        }
        clear(slot: slot)
        let place = places[leaf.fingerprint] ?? add(leaf, expiry)
        entries[Int(place)]?.count += 1
        slots[slot] = place
    }

    private mutating func add(_ leaf: LeafCertificate, _ expiry: Timestamp) -> Int32 {
        let words = leaf.words
        let entry = Entry(
            fingerprint: leaf.fingerprint, subject: displayText(words.subject), issuer: displayText(words.issuer), expiry: expiry,
            count: 0)
        let place = free.popLast() ?? Int32(entries.count)
        if Int(place) == entries.count { entries.append(entry) } else { entries[Int(place)] = entry }
        places[leaf.fingerprint] = place
        return place
    }

    /// The target shows none any more, or another target has the slot from now on.
    package mutating func clear(slot: Int) {
        guard slot < slots.count, slots[slot] != Self.none else { return }
        let place = slots[slot]
        slots[slot] = Self.none
        entries[Int(place)]?.count -= 1
        guard let entry = entries[Int(place)], entry.count == 0 else { return }
        places[entry.fingerprint] = nil
        entries[Int(place)] = nil
        free.append(place)
    }

    /// As evidence: what is known of it without the probe that saw it.
    package func certificate(slot: Int) -> Evidence.Certificate? {
        guard slot < slots.count, slots[slot] != Self.none, let entry = entries[Int(slots[slot])] else { return nil }
        return Evidence.Certificate(
            subject: entry.subject, issuer: entry.issuer, names: [], notBefore: nil, notAfter: entry.expiry,
            fingerprint: Hex.text(entry.fingerprint))
    }

    /// SHA-256 in hexadecimal digits.
    func fingerprint(slot: Int) -> String? {
        guard slot < slots.count, slots[slot] != Self.none else { return nil }
        return entries[Int(slots[slot])].map { Hex.text($0.fingerprint) }
    }

    /// The certificates that expire first, each with the first few targets by slot.
    package func first(_ limit: Int, of index: TargetIndex) -> [CertificateEntry] {
        let chosen = entries.indices.filter { entries[$0] != nil }
            .sorted { one, other in
                guard let one = entries[one], let other = entries[other] else { return false }
                return one.expiry != other.expiry ? one.expiry < other.expiry : one.subject < other.subject
            }.prefix(limit)
        var targets: [Int32: [TargetIndex.Identity]] = [:]
        for place in chosen { targets[Int32(place)] = [] }
        for (slot, place) in slots.enumerated()
        where place != Self.none && (targets[place]?.count ?? .max) < CertificatesPage.namesOfRow {
            if let identity = index.identity(slot: slot) { targets[place]?.append(identity) }
        }
        return chosen.compactMap { place in
            entries[place].map {
                CertificateEntry(
                    fingerprint: Hex.text($0.fingerprint), subject: $0.subject, issuer: $0.issuer, expiry: $0.expiry,
                    count: $0.count,
                    targets: targets[Int32(place)] ?? [])
            }
        }
    }
}
