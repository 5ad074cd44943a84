package import Health

/// `/targets/{client}/{id}`: what did it say, when did it begin, and what do I do?
package struct TargetPage: Sendable {
    private static let incidentsMax = 10

    let facts: TargetFacts
    let counts: [Status: Int]
    private let companions: Companions

    private let windows: [OpenWindow]

    package init(_ facts: TargetFacts, _ index: TargetIndex, windows: [OpenWindow] = []) {
        self.windows = windows
        (self.facts, counts) = (facts, index.counts)
        companions = Companions(facts.companions, index)
    }

    /// Of this target, and not of the whole daemon: its tab says how it is.
    package var worst: Status { facts.live.status }
    package var title: String {
        let name = shownText(facts.identity.name, limit: 60)
        return facts.live.status == .up ? name : "\(name) is \(facts.live.status.rawValue)"
    }

    package func document(_ renderer: PageRenderer, _ frame: PageFrame, isTwin: Bool) throws -> PageDocument {
        if isTwin {
            return PageDocument(twin: "target", items: try encoded([TargetPageItem(facts)]), asOf: frame.asOf)
        }
        var context = head(frame.asOf)
        context.merge(body(frame.asOf)) { one, _ in one }
        context.merge(TargetCharts(facts, page: frame.asOf).context) { one, _ in one }
        let identity = facts.identity
        let part = WindowPart(windows: windows, target: identity.identity, host: identity.host, region: identity.region)
        context.merge(part.context(frame)) { one, _ in one }
        return PageDocument(html: renderer.html("target", frame, context), asOf: frame.asOf)
    }

    private func head(_ page: Timestamp) -> [String: Any] {
        let (identity, live) = (facts.identity, facts.live)
        let client = identity.identity.clientID
        var context: [String: Any] = [
            "client": ["link": "/targets?client=\(percentEncoded(client))", "name": shownText(client, limit: 40)],
            "targetStatus": live.status.rawValue, "targetName": shownText(identity.name, limit: 60),
            "statusWord": live.isUnprobeable
                ? "Not probed" : live.status.rawValue.prefix(1).uppercased() + live.status.rawValue.dropFirst(),
            "leads": leads,
        ]
        if let since = live.since { context["statusSince"] = ShownTime(since, page: page).context }
        if let sentence = facts.sentence, !sentence.isEmpty {
            context["sentence"] = shownText(sentenceCased(sentence), limit: displayTextLimit) + "."
        }
        return context
    }

    private var leads: [[String: Any]] {
        var leads: [[String: Any]] = []
        func add(_ text: String, link: String? = nil, _ linkText: String = "") {
            leads.append(["text": text, "link": orAbsent(link), "linkText": linkText])
        }
        if let incident = facts.openIncident {
            let link = "/incidents/\(incident.entry.id)"
            let others = facts.companions.count - 1
            if others > 0 {
                let reach = ShownNumber.setting(incident.entry.incident.startedAt - incident.company.lowerBound)
                let shared = companions.words.map { " \($0)" } ?? ""
                add(
                    "It is not alone: \(counted(others, "other target")) began to fail within \(reach) of it.\(shared)",
                    link: link,
                    "Incident \(incident.entry.id)")
            } else {
                add("Nothing else began to fail at that time.", link: link, "Incident \(incident.entry.id)")
            }
        }
        if facts.isInMaintenance {
            add("It is in a maintenance window: nobody is alerted, and the time counts for no availability.")
        }
        if facts.isHeld { add("Its alerts are held, because the daemon doubts its own network.", link: "/daemon", "The daemon") }
        return leads
    }

    private var settingsLead: String {
        if !facts.settings.isEmpty { return "Every other key is at its default. " }
        return facts.configurationPath == nil
            ? "The settings are those of the command that runs. " : "Every key is at its default. "
    }

    private func body(_ page: Timestamp) -> [String: Any] {
        let advice = Advice(facts)
        let client = percentEncoded(facts.identity.identity.clientID)
        var context: [String: Any] = [
            "facts": facts.list(page), "advice": advice.sentence,
            "commands": advice.commands.map { ["why": $0.why, "command": $0.text] as [String: Any] },
            "hasIncidents": !facts.incidents.isEmpty,
            "incidents": facts.incidents.prefix(Self.incidentsMax).map { $0.row(page: page, byNumber: true) },
            "incidentsLink": "/incidents?client=\(client)&target=\(percentEncoded(facts.identity.identity.key))",
            "hasSettings": !facts.settings.isEmpty,
            "settings": facts.settings.map {
                ["key": shownText($0.key), "value": shownText($0.value, limit: displayTextLimit), "origin": shownText($0.origin)]
                    as [String: Any]
            },
            "settingsWords": settingsLead
                + "From when every probe fails to an alert it takes \(durationWords(facts.bound)) at most.",
            "resultCount": "\(facts.probes.count)", "phaseNames": Phase.allCases.map { ["text": $0.shownName] },
            "results": facts.probes.map { $0.row(page) },
        ]
        if let evidence = facts.openIncident.flatMap({ $0.evidence[.lastBad] ?? $0.evidence[.firstBad] }) {
            var said = EvidencePart(evidence, page: page).context
            said["which"] = "a failed probe, started"
            context["said"] = said
        }
        if let last = facts.lastProbe, last.phases != Phases() {
            let how = last.outcome.isSuccess ? "" : ", failed"
            context["phases"] = Waterfall(now: last.phases, then: facts.lastGood?.phases).context(
                good: facts.lastGood?.at, how: how, page: page)
        }
        return context
    }
}

/// With a capital, where it begins with a plain word and not with a name.
func sentenceCased(_ sentence: String) -> String {
    let word = sentence.prefix { $0 != " " }
    guard word.count > 1, word.utf8.allSatisfy({ (97...122).contains($0) }) else { return sentence }
    return sentence.prefix(1).uppercased() + sentence.dropFirst()
}

extension TargetFacts {
    /// What it is, term by term.
    fileprivate func list(_ page: Timestamp) -> [[String: Any]] {
        var list: [[String: Any]] = []
        func add(_ term: String, _ value: String, link: String? = nil, isCode: Bool = false, _ moment: Timestamp? = nil) {
            list.append([
                "term": term, "value": value, "link": orAbsent(link), "isCode": isCode,
                "moment": orAbsent(moment.map { ShownTime($0, page: page).context }),
            ])
        }
        add("URL", shownText(url, limit: displayTextLimit), isCode: true)
        if let host = identity.host { add("Host", shownText(host), link: "/targets?host=\(percentEncoded(host))") }
        if !identity.region.isEmpty {
            add("Region", shownText(identity.region), link: "/targets?region=\(percentEncoded(identity.region))")
        }
        add("Id", shownText(identity.identity.key), isCode: true)
        add("Probed", "every \(ShownNumber.setting(interval))")
        if let at = live.lastAt { add("Last probe", "", at) }
        if let incident = openIncident?.entry.incident {
            add("Failed", "\(counted(max(failures, incident.failedProbes), "probe")) since it began")
        } else if failures > 0 {
            add("Failed", "\(counted(failures, "probe")) in a row")
        }
        if let address = lastProbe?.address { add("Address", shownText(address), isCode: true) }
        return list
    }
}

extension TargetFacts.Probe {
    fileprivate func row(_ page: Timestamp) -> [String: Any] {
        let (status, word): (Status, String) =
            isVoid
            ? (.unknown, "void") : outcome == .good ? (.up, "good") : outcome.isSuccess ? (.degraded, "poor") : (.down, "bad")
        let why: String = outcome.reason?.rawValue ?? outcome.cause?.rawValue ?? ""
        return [
            "started": ShownTime(startedAt, page: page, zone: false).context, "status": status.rawValue, "word": word,
            "http": httpStatus.map { "\($0)" } ?? ShownNumber.none, "whole": ShownNumber.milliseconds(duration),
            "parts": Phase.allCases.map { ["text": ShownNumber.milliseconds(phases[$0])] },
            "address": address.map { shownText($0) } ?? "",
            "why": isVoid ? "it counts for nothing: \(durationWords(lateness)) late" : why,
        ]
    }
}
