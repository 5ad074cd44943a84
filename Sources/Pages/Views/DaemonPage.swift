package import Health

/// `/daemon`: can I trust this?
package struct DaemonPage: Sendable {
    let facts: DaemonFacts
    let counts: [Status: Int]

    package init(_ facts: DaemonFacts, counts: [Status: Int]) { (self.facts, self.counts) = (facts, counts) }

    package var worst: Status { Status.worst(counts) }
    package var title: String { "Daemon" }

    package func document(_ renderer: PageRenderer, _ frame: PageFrame, isTwin: Bool) throws -> PageDocument {
        if isTwin { return PageDocument(twin: "daemon", items: try encoded([DaemonItem(facts)]), asOf: frame.asOf) }
        return PageDocument(html: renderer.html("daemon", frame, context(frame.asOf)), asOf: frame.asOf)
    }

    /// One thing that may be wrong.
    private struct Part {
        var anchor: String
        var title: String
        var status: Status
        var word: String
        var sentence: String
        var facts: [(term: String, value: String, moment: Timestamp?, isCode: Bool)] = []
        var heads: [(text: String, isNumber: Bool)] = []
        var rows: [[(text: String, moment: Timestamp?)]] = []

        func context(_ page: Timestamp) -> [String: Any] {
            var context: [String: Any] = [
                "anchor": anchor, "title": title, "status": status.rawValue, "word": word, "sentence": sentence,
                "hasFacts": !facts.isEmpty,
                "facts": facts.map { fact -> [String: Any] in
                    [
                        "term": fact.term, "value": fact.value, "isCode": fact.isCode,
                        "moment": orAbsent(fact.moment.map { ShownTime($0, page: page).context }),
                    ]
                },
            ]
            context["table"] = rows.isEmpty ? false : table(page)
            return context
        }

        private func table(_ page: Timestamp) -> [String: Any] {
            [
                "heads": heads.map { ["text": $0.text, "isNumber": $0.isNumber] as [String: Any] },
                "rows": rows.map { row -> [String: Any] in
                    [
                        "cells": row.enumerated().map { index, cell -> [String: Any] in
                            [
                                "text": cell.text, "isNumber": heads[index].isNumber, "label": heads[index].text.lowercased(),
                                "moment": orAbsent(cell.moment.map { ShownTime($0, page: page, zone: false).context }),
                            ]
                        }
                    ]
                },
            ]
        }
    }

    private func context(_ page: Timestamp) -> [String: Any] {
        let columns = [[network, lateness, overload, lanes], [lists, database, alerts, queues, configuration]]
        let worst = columns.joined().map(\.status)
        let trust: Status = !facts.problems.isEmpty || worst.contains(.down) ? .down : worst.contains(.degraded) ? .degraded : .up
        let headline =
            switch trust {
            case .down: "Don't trust this without a second look"
            case .degraded: "You can trust this, with a caveat"
            case .up, .unknown: "You can trust this"
            }
        return [
            "trust": trust.rawValue, "headline": headline,
            "leads": facts.problems.map { ["text": shownText($0, limit: displayTextLimit) + "."] },
            "columns": columns.map { ["parts": $0.map { $0.context(page) }] },
        ]
    }

    private var network: Part {
        var part = Part(
            anchor: "vantage", title: "Our own network", status: .up, word: "well",
            sentence: facts.canaries > 0
                ? "Nothing suggests that the network of this machine is to blame for failures."
                : "No target suggests that the network of this machine is to blame. Canaries (vantage.canaries) would be asked, too."
        )
        if let doubt = facts.doubt {
            (part.status, part.word, part.sentence) = (.down, "in doubt", "It may be us: \(doubt). Alerts are held meanwhile.")
        }
        part.facts = [("Canaries", facts.canaries == 0 ? "none are configured" : "\(facts.canaries)", nil, false)]
        return part
    }

    private var lateness: Part {
        var part = Part(
            anchor: "lateness", title: "Lateness", status: .up, word: "well",
            sentence: "Probes start when they are due. A probe that starts too late counts for nothing.")
        if facts.spreads.first?.p99.map({ $0 >= .milliseconds(250) }) ?? false {
            (part.status, part.word) = (.degraded, "late")
            part.sentence = "Some probes start late: this machine or this process has too much to do."
        }
        part.heads = [("Since the start", false), ("p50, ms", true), ("p99, ms", true)]
        part.rows = facts.spreads.map {
            [($0.name, nil), (ShownNumber.milliseconds($0.p50), nil), (ShownNumber.milliseconds($0.p99), nil)]
        }
        return part
    }

    private var overload: Part {
        let planned = facts.lanes.reduce(0) { $0 + $1.plannedPerSecond }
        let stretch = facts.lanes.map(\.stretch).max() ?? 1
        var part = Part(
            anchor: "overload", title: "Overload", status: .up, word: "none",
            sentence: "\(fixed(planned, digits: 1)) probes a second fall due, and the daemon can make them.")
        if stretch > 1 {
            (part.status, part.word) = (.degraded, "overloaded")
            part.sentence =
                "\(fixed(planned, digits: 1)) probes a second fall due, which is more than the daemon can make. "
                + "A round of all targets takes \(fixed(stretch, digits: 1)) intervals."
        }
        let exceptions = facts.exceptions.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        part.facts = [
            ("Missed", counted(facts.missed, "due time"), nil, false), ("Tainted", counted(facts.tainted, "result"), nil, false),
            ("Bound not held", exceptions.isEmpty ? "never" : exceptions.joined(separator: ", "), nil, false),
        ]
        return part
    }

    private var lanes: Part {
        let isFull = facts.lanes.contains { $0.busy > 0.9 }
        var part = Part(
            anchor: "lanes", title: "Lanes", status: isFull ? .degraded : .up, word: isFull ? "full" : "well",
            sentence: "Each lane is a thread with its own targets.")
        part.heads = [("Lane", false), ("Busy, %", true), ("Probes a second", true)]
        part.rows = facts.lanes.enumerated().map { index, lane in
            [("\(index)", nil), (fixed(lane.busy * 100, digits: 1), nil), (fixed(lane.plannedPerSecond, digits: 1), nil)]
        }
        return part
    }

    private var lists: Part {
        let isHeld = facts.lists.contains(where: \.isHeld)
        let hasFailed = facts.lists.contains(where: \.hasFailed)
        var part = Part(
            anchor: "sync", title: "Lists of targets", status: isHeld || hasFailed ? .degraded : .up,
            word: isHeld ? "held" : hasFailed ? "stale" : "fresh",
            sentence: "Each list is read every \(ShownNumber.setting(facts.syncInterval)).")
        part.heads = [("Client", false), ("Read, UTC", true), ("State", false)]
        part.rows = facts.lists.map { list in
            [
                (shownText(list.clientID, limit: 40), nil), (list.fetchedAt == nil ? "never" : "", list.fetchedAt),
                (list.isHeld ? "held: rangefinder sync --accept" : list.hasFailed ? "the last sync failed" : "applied", nil),
            ]
        }
        return part
    }

    private var database: Part {
        var part = Part(
            anchor: "database", title: "Database", status: .up, word: "well",
            sentence: "Every result is written within half a second.")
        if let trouble = facts.historyTrouble {
            (part.status, part.word) = (.down, "not written")
            part.sentence = "Results can't be written, and wait in memory: \(shownText(trouble, limit: displayTextLimit))."
        } else if facts.dropped > 0 {
            (part.status, part.word) = (.degraded, "dropped")
        }
        part.facts = [
            ("File", shownText(facts.database, limit: displayTextLimit), nil, true),
            ("Size", "\(ShownNumber.bytes(facts.databaseBytes)), and a WAL of \(ShownNumber.bytes(facts.walBytes))", nil, false),
            ("Written", counted(facts.written, "result"), nil, false), ("Waiting", counted(facts.queued, "result"), nil, false),
            ("Dropped", counted(facts.dropped, "result"), nil, false),
        ]
        return part
    }

    private var alerts: Part {
        let refused = facts.setAside.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        var part = Part(
            anchor: "channels", title: "Alerts", status: refused.isEmpty ? .up : .degraded,
            word: refused.isEmpty ? "well" : "look",
            sentence: refused.isEmpty
                ? "A message that isn't taken is sent again."
                : "Messages were set aside, because their service refuses them. doctor says more.")
        if facts.receivers == 0 {
            (part.status, part.word) = (.unknown, "nobody is told")
            part.sentence = "No receiver is configured: alerting.alertmanagers and alerting.webhooks are empty."
        }
        part.facts = [
            ("Waiting", counted(facts.alertsQueued, "message"), nil, false),
            ("Sent", counted(facts.alertsSent, "message"), nil, false),
            ("Failed attempts", ShownNumber.grouped(facts.alertsFailed), nil, false),
        ]
        part.facts += refused.map { ("Set aside", "\($0.value) for \(shownText($0.key))", nil, false) }
        return part
    }

    private var queues: Part {
        var part = Part(anchor: "queues", title: "Queues", status: .up, word: "well", sentence: "What waits for the daemon.")
        part.facts = [
            (
                "Probes in flight", "\(ShownNumber.grouped(facts.inFlight)) of \(ShownNumber.grouped(facts.inFlightMax))", nil,
                false
            ),
            ("Re-checks put off", ShownNumber.grouped(facts.deferred), nil, false),
            ("Results to write", ShownNumber.grouped(facts.queued), nil, false),
            ("Alerts to send", ShownNumber.grouped(facts.alertsQueued), nil, false),
        ]
        return part
    }

    private var configuration: Part {
        var part = Part(
            anchor: "reload", title: "Configuration", status: .up, word: "in force",
            sentence: "The last reload succeeded, or there was none.")
        if let trouble = facts.reloadTrouble {
            (part.status, part.word) = (.degraded, "not taken")
            part.sentence =
                "The last reload failed, and the settings of before are in force: \(shownText(trouble, limit: displayTextLimit))."
        }
        part.facts = [
            ("File", facts.configurationPath.map { shownText($0, limit: displayTextLimit) } ?? "none", nil, true),
            ("Read", "", facts.reloadedAt, false), ("Started", "", facts.startedAt, false),
        ]
        return part
    }
}
