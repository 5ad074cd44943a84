package import Health

/// `/incidents/{id}`: one outage. What did it say, when did it begin, and what else failed then?
package struct IncidentPage: Sendable {
    private static let rowsMax = 50

    let facts: IncidentFacts
    /// The incident itself among them, those that began first.
    let company: [CompanionFacts]
    let counts: [Status: Int]
    private let companions: Companions

    /// Maintenance windows that are open.
    let windows: [OpenWindow]

    package init(_ facts: IncidentFacts, company: [CompanionFacts], _ index: TargetIndex, windows: [OpenWindow] = []) {
        self.windows = windows
        (self.facts, self.company, counts) = (facts, company, index.counts)
        companions = Companions(company, index)
    }

    private var entry: IncidentEntry { facts.entry }
    private var incident: Incident { facts.entry.incident }
    private var others: [CompanionFacts] { company.filter { $0.entry.id != entry.id } }

    package var worst: Status { Status.worst(counts) }
    package var title: String { "\(shownText(entry.name, limit: 60)) \(stateWords)" }

    private var stateWords: String {
        switch incident.closedAs {
        case nil: "is down"
        case .recovered: "was down"
        case .removed: "was down until it was removed"
        }
    }

    package func document(_ renderer: PageRenderer, _ frame: PageFrame, isTwin: Bool) throws -> PageDocument {
        if isTwin {
            let item = IncidentPageItem(facts, others: others.map(\.entry), companions)
            return PageDocument(twin: "incident_page", items: try encoded([item]), asOf: frame.asOf)
        }
        let part = WindowPart(windows: windows, target: incident.target, host: entry.host, region: entry.region)
        let context = context(frame.asOf).merging(part.context(frame)) { one, _ in one }
        return PageDocument(html: renderer.html("incident", frame, context), asOf: frame.asOf)
    }

    private func context(_ page: Timestamp) -> [String: Any] {
        var context: [String: Any] = [
            "number": "\(entry.id)", "stateMark": (entry.isOpen ? Status.down : .up).rawValue, "stateWords": stateWords,
            "targetLink": targetLink(incident.target), "targetName": shownText(entry.name, limit: 60),
            "why": "\(incident.reason.rawValue): \(reasonWords).", "began": ShownTime(incident.startedAt, page: page).context,
            "others": othersContext(page), "saids": saids(page), "hasSaids": !saids(page).isEmpty, "line": line(page),
            "hasNotes": !facts.remarks.isEmpty, "notes": facts.remarks.map { $0.row(page) },
        ]
        if let lasted = entry.lasted { context["lasted"] = lasted }
        if let explanation { context["explanation"] = explanation }
        if let phases = phases(page) { context["phases"] = phases }
        if let delay { context["delay"] = delay }
        return context
    }

    private var reasonWords: String {
        incident.reason.words + (incident.httpStatus.map { " (HTTP \($0))" } ?? "")
    }

    // MARK: What else failed

    private var reach: String { ShownNumber.setting(incident.startedAt - facts.company.lowerBound) }

    private var explanation: [String: Any]? {
        guard company.count > 1 else { return nil }
        let all = "\(company.count) incidents began within \(reach) of each other, this one among them."
        guard let best = companions.explanation, let words = companions.words else {
            return ["head": "No single thing explains them.", "text": all]
        }
        return ["head": words, "text": all + " " + best.thing.sentence]
    }

    private func othersContext(_ page: Timestamp) -> [String: Any] {
        let span = facts.company
        let groups = companions.groups.map { group -> [String: Any] in
            var context: [String: Any] = [
                "kind": group.thing.kindWord, "value": shownText(group.thing.value, limit: 60),
                "share": "\(group.count) of \(company.count)",
                "percent": fixed(Double(group.count) / Double(max(1, company.count)) * 100, digits: 1),
                "against": group.standing.map {
                    $0 == 0 ? "no other such target is up" : "\(counted($0, "such target")) \($0 == 1 ? "is" : "are") up"
                } ?? "",
            ]
            context["link"] = orAbsent(group.thing.listLink)
            return context
        }
        return [
            "span":
                "\(ShownTime(span.lowerBound, page: page, zone: false).text) to \(ShownTime(span.upperBound, page: page).text)",
            "hasGroups": !groups.isEmpty, "groups": groups, "isAlone": others.isEmpty, "hasRows": !others.isEmpty,
            "summary": others.count == 1 ? "The other target" : "The \(others.count) other targets",
            "caption": "Targets that failed within one interval",
            "rows": others.prefix(Self.rowsMax).map { other -> [String: Any] in
                let entry = other.entry
                return [
                    "id": "o\(entry.id)", "status": (entry.isOpen ? Status.down : .up).rawValue,
                    "word": entry.isOpen ? "down" : "over",
                    "link": "/incidents/\(entry.id)", "name": shownText(entry.name),
                    "said": "\(entry.incident.reason.rawValue)\(entry.incident.httpStatus.map { ", HTTP \($0)" } ?? "")",
                    "since": ShownTime(entry.incident.startedAt, page: page, zone: false).context,
                ]
            },
        ]
    }

    // MARK: What it said

    private func saids(_ page: Timestamp) -> [[String: Any]] {
        // While it goes on, what is kept is some minutes old.
        let last = incident.endedAt == nil ? "What a later bad probe said" : "What the last bad probe said"
        let titles: [(Evidence.Kind, String, String)] = [
            (.firstBad, "first", "What the first bad probe said"), (.lastBad, "last", last),
        ]
        return titles.compactMap { kind, anchor, title in
            guard let evidence = facts.evidence[kind] else { return nil }
            var context = EvidencePart(evidence, page: page).context
            (context["anchor"], context["title"]) = (anchor, title)
            context["isSame"] = kind == .lastBad && facts.evidence[.firstBad]?.words == evidence.words
            return context
        }
    }

    private func phases(_ page: Timestamp) -> [String: Any]? {
        guard let bad = facts.evidence[.lastBad] ?? facts.evidence[.firstBad], bad.phases != Phases() else { return nil }
        let good = facts.evidence[.lastGood]
        return Waterfall(now: bad.phases, then: good?.phases).context(
            good: good?.at, how: incident.endedAt == nil ? "a bad probe" : "last bad probe", page: page)
    }

    // MARK: When

    private func line(_ page: Timestamp) -> [[String: Any]] {
        func step(_ mark: Status, _ what: String, _ moment: Timestamp?, _ detail: String) -> [String: Any] {
            var context: [String: Any] = ["mark": mark.rawValue, "what": what, "detail": detail]
            context["moment"] = orAbsent(moment.map { ShownTime($0, page: page).context })
            return context
        }
        var steps: [[String: Any]] = []
        if let good = facts.evidence[.lastGood] {
            steps.append(step(.up, "Last good probe", good.at, good.httpStatus.map { "HTTP \($0)" } ?? ""))
        }
        steps.append(step(.degraded, "First bad probe", incident.startedAt, reasonWords))
        let delay = durationWords(max(.zero, incident.confirmedAt - incident.startedAt))
        steps.append(step(.down, "Confirmed down", incident.confirmedAt, "\(delay) after the first bad probe"))
        if let alertedAt = facts.alertedAt { steps.append(step(.down, "Alerted", alertedAt, "the first message was taken")) }
        let failed = counted(incident.failedProbes, "probe") + " failed"
        switch incident.closedAs {
        case nil: steps.append(step(.unknown, "Not over", nil, failed))
        case .recovered: steps.append(step(.up, "Ended", incident.endedAt, "\(failed), then it answered"))
        case .removed:
            steps.append(
                step(.unknown, "Ended", incident.endedAt, "\(failed). The target was taken from the list: that is no recovery"))
        }
        return steps
    }

    /// From when it began, as far as anybody can know, to when it was confirmed, against the bound.
    private var delay: [String: Any]? {
        guard let bound = facts.bound, let interval = facts.interval, bound > .zero else { return nil }
        let took = max(.zero, (facts.alertedAt ?? incident.confirmedAt) - incident.startedAt) + interval
        let share = min(1, took / bound)
        let words = "\(durationWords(took)) of \(durationWords(bound))"
        let end = facts.alertedAt == nil ? "known" : "alerted"
        return [
            "words":
                "It was \(end) \(durationWords(took)) after it began at most: it may have begun one interval before the first bad probe. "
                + "The bound is \(durationWords(bound)).",
            "bar":
                "<svg class=\"bar\" role=\"img\" aria-label=\"\(words)\"><rect class=\"then\" x=\".5\" y=\"4.5\" width=\"99%\" height=\"8\"/>"
                + "<rect class=\"now\" y=\"4\" width=\"\(fixed(share * 99, digits: 1))%\" height=\"9\"/>"
                + "<line class=\"bound\" x1=\"99%\" x2=\"99%\" y1=\"0\" y2=\"17\"/></svg>",
        ]
    }
}

extension SharedThing {
    /// The list of those who are like that, whatever their status.
    fileprivate var listLink: String? { link.map { $0.replacing("status=down&", with: "") } }
}
