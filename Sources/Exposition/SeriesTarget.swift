package import Health

/// What tells one target's lines from another's.
package struct SeriesLabels: Hashable, Sendable {
    package var identity: TargetIdentity
    /// Foreign text, as are the others.
    package var name: String
    /// The probed URL, whole: the values of its query are left out where it is shown.
    package var url: String
    package var region: String

    package init(identity: TargetIdentity, name: String, url: String, region: String) {
        self.identity = identity
        self.name = name
        self.url = url
        self.region = region
    }

    /// Writes the labels as they stand on the page between the braces; returns where they end without the client's.
    func write(to writer: inout PageWriter) -> Int {
        writer.write(label: "target_id", distinctText(identity.key))
        writer.write(",")
        writer.write(label: "target", displayText(name))
        writer.write(",")
        writer.write(label: "instance", displayText(urlWithoutSecrets(url)))
        writer.write(",")
        writer.write(label: "region", displayText(region))
        let end = writer.bytes.count
        writer.write(",")
        writer.write(label: "client_id", distinctText(identity.clientID))
        return end
    }
}

/// The labels' text of all targets, by slot, in one piece: an array for each would cost as much again.
struct LabelTexts: Sendable {
    private var bytes: [UInt8]
    private var ends: [(withoutClient: Int, whole: Int)] = []

    init(_ targets: [SeriesTarget]) {
        var writer = PageWriter()
        ends.reserveCapacity(targets.count)
        for target in targets {
            let end = target.labels.write(to: &writer)
            ends.append((end, writer.bytes.count))
        }
        // Without the room to grow that the writer had.
        bytes = [UInt8](unsafeUninitializedCapacity: writer.bytes.count) { buffer, count in
            _ = buffer.initialize(from: writer.bytes)
            count = writer.bytes.count
        }
    }

    func text(of slot: Int, withClientID: Bool) -> ArraySlice<UInt8> {
        let start = slot == 0 ? 0 : ends[slot - 1].whole
        return bytes[start..<(withClientID ? ends[slot].whole : ends[slot].withoutClient)]
    }
}

/// A target with what of its policy is on the page.
package struct SeriesTarget: Hashable, Sendable {
    package var labels: SeriesLabels
    package var timeout: Duration
    package var detectionBound: Duration
    package var interval: Duration

    package init(labels: SeriesLabels, timeout: Duration, detectionBound: Duration, interval: Duration) {
        self.labels = labels
        self.timeout = timeout
        self.interval = interval
        self.detectionBound = detectionBound
    }

    package init(labels: SeriesLabels, policy: ProbePolicy) {
        self.init(
            labels: labels, timeout: policy.effectiveTimeout, detectionBound: policy.detectionBound, interval: policy.interval)
    }
}

extension PageWriter {
    /// Those of `probe_ssl_last_chain_info`, behind a target's own; names and form are blackbox_exporter's (prober/tls.go).
    mutating func write(_ leaf: LeafCertificate) {
        let words = leaf.words
        let labels = [
            ("fingerprint_sha256", Hex.text(leaf.fingerprint)), ("issuer", words.issuer), ("subject", words.subject),
            ("subjectalternative", words.hosts.joined(separator: ",")),
        ]
        for (name, value) in labels {
            write(",")
            write(label: name, displayText(value))
        }
    }
}

/// As ``Health/displayText(_:limit:)``, but two different texts never look the same: two targets with the same labels would
/// spoil the page.
func distinctText(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "\\")) else { return displayText(text, limit: .max) }
    let escaped = text.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\u{5c}")
    return displayText(escaped, limit: .max)
}
