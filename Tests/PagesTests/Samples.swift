import Health

@testable import Pages

func sample(_ key: String, name: String? = nil, region: String = "eu", host: String? = "a.example", client: String = "c")
    -> TargetIndex.Identity
{
    TargetIndex.Identity(
        identity: TargetIdentity(clientID: client, key: key), name: name ?? "Target \(key)", region: region, host: host)
}

let sampleTime = Timestamp(milliseconds: 1_764_299_662_000)

func frame(_ section: PageFrame.Section? = .now, query: String = "") -> PageFrame {
    PageFrame(
        section: section, title: "A page", worst: .down, banners: [], vantage: "here", version: "1.0", asOf: sampleTime,
        path: section?.rawValue ?? "/wall", query: query, refreshSeconds: nil)
}

extension TargetIndex {
    mutating func put(_ identity: Identity, slot: Int, _ status: Status, reason: Reason? = nil, sentence: String? = nil) {
        set(identity, slot: slot)
        change(slot: slot, of: identity.identity, said: sentence.map { Said($0, address: "203.0.113.7") }) { live in
            (live.status, live.reason, live.since, live.microseconds) = (status, reason, sampleTime, UInt32(1000 + slot))
        }
    }

    mutating func group() { _ = take(grouped(), ofList: listVersion) }
}

/// What a stranger may call a thing.
let hostile = "<script>alert(1)</script>\"'&\u{202e}{{name}}" + String(repeating: "x", count: 10_000)

func incident(
    _ id: Int64, _ key: String = "k", name: String = "Payments", region: String = "eu", host: String? = "a.example",
    began: Timestamp = sampleTime, lasted: Duration? = nil, reason: Reason = .connectRefused
) -> IncidentEntry {
    IncidentEntry(
        id: id, name: name, region: region, vantage: "here", host: host,
        incident: Incident(
            target: TargetIdentity(clientID: "c", key: key), startedAt: began, confirmedAt: began + .seconds(14),
            endedAt: lasted.map { began + $0 }, reason: reason, failedProbes: 3, closedAs: lasted == nil ? nil : .recovered))
}

let hostileEvidence = Evidence(
    at: sampleTime, httpStatus: 503, headers: "HTTP/1.1 503 \(hostile)\nX-Name: \(hostile)\n",
    body: Array(hostile.utf8.prefix(512)),
    bodyBytes: 90_000, address: "203.0.113.9", addresses: [.init(text: "203.0.113.9", state: .failed)],
    certificates: [
        .init(
            subject: hostile, issuer: hostile, names: [hostile, hostile], notBefore: nil, notAfter: sampleTime, fingerprint: "ab")
    ], phases: Phases(dns: .milliseconds(1), connect: .milliseconds(2), processing: .milliseconds(3000)))

extension PageDocument {
    var text: String { String(decoding: bytes, as: UTF8.self) }
}
