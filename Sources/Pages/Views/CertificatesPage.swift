package import Health

/// `/certificates`: by expiry, one row a certificate with the targets that show it.
package struct CertificatesPage: Sendable {
    package static let rowsMax = 500
    /// How many targets a row names.
    package static let namesOfRow = 3

    /// The first to expire first.
    let entries: [CertificateEntry]
    /// How many there are in all.
    let total: Int
    let counts: [Status: Int]
    /// With fewer days left than that a certificate expires soon (`expect.certificate_days`).
    let soonDays: Int
    let now: Timestamp

    package init(_ entries: [CertificateEntry], total: Int, counts: [Status: Int], soonDays: Int, now: Timestamp) {
        (self.entries, self.total, self.counts, self.soonDays, self.now) = (entries, total, counts, soonDays, now)
    }

    private enum Left: Hashable { case expired, soon, fine }

    private func left(_ entry: CertificateEntry) -> Left {
        let left = entry.expiry - now
        return left <= .zero ? .expired : left < .seconds(soonDays * 86_400) ? .soon : .fine
    }

    private var states: [Left: Int] { entries.reduce(into: [:]) { $0[left($1), default: 0] += 1 } }

    package var worst: Status { Status.worst(counts) }
    package var title: String { "Certificates" }

    package func document(_ renderer: PageRenderer, _ frame: PageFrame, isTwin: Bool) throws -> PageDocument {
        if isTwin {
            return PageDocument(twin: "certificates", items: try encoded(entries.map(CertificateItem.init)), asOf: frame.asOf)
        }
        return PageDocument(html: renderer.html("certificates", frame, context), asOf: frame.asOf)
    }

    private var context: [String: Any] {
        let (expired, soon) = (states[.expired] ?? 0, states[.soon] ?? 0)
        let words = [
            expired > 0 ? "\(counted(expired, "certificate has", "certificates have")) expired" : nil,
            soon > 0
                ? (expired > 0
                    ? "\(soon) \(soon == 1 ? "expires" : "expire") soon"
                    : "\(counted(soon, "certificate expires", "certificates expire")) soon") : nil,
        ].compactMap(\.self)
        return [
            "certificatesWorst": (expired > 0 ? Status.down : soon > 0 ? .degraded : entries.isEmpty ? .unknown : .up).rawValue,
            "headline": words.isEmpty
                ? (entries.isEmpty ? "Certificates" : "No certificate expires soon") : words.joined(separator: ", "),
            "lead":
                "Each target counts with its own certificate, and with the first day on which something in its verified chain expires. "
                + "Soon is within \(counted(soonDays, "day")).",
            "hasRows": !entries.isEmpty, "rows": entries.map(row),
            "count": total > entries.count
                ? "the first \(ShownNumber.grouped(entries.count)) of \(ShownNumber.grouped(total))"
                : counted(total, "certificate"),
        ]
    }

    private func row(_ entry: CertificateEntry) -> [String: Any] {
        let (status, word): (Status, String)
        let days = Int((entry.expiry - now).wholeMilliseconds / 86_400_000)
        switch left(entry) {
        case .expired: (status, word) = (.down, "expired")
        case .soon: (status, word) = (.degraded, days == 0 ? "less than a day" : "\(counted(days, "day")) left")
        case .fine: (status, word) = (.up, "\(counted(days, "day")) left")
        }
        let targets = entry.targets.prefix(Self.namesOfRow)
        return [
            "id": "c" + entry.fingerprint.prefix(16), "status": status.rawValue, "word": word,
            "until": ShownTime(dateOf: entry.expiry).context, "subject": shownText(entry.subject),
            "issuer": shownText(entry.issuer),
            "targets": targets.enumerated().map { index, target -> [String: Any] in
                [
                    "link": targetLink(target.identity), "name": shownText(target.name, limit: 60), "isFirst": index == 0,
                    "separator": index + 1 < targets.count ? ", " : "",
                ]
            },
            "more": entry.count > targets.count ? " and \(ShownNumber.grouped(entry.count - targets.count)) more" : false,
        ]
    }
}
