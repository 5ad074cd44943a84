import Health

/// The bars of ninety days and the latency of a target's page, each with its table.
struct TargetCharts {
    private static let rowsMax = 31
    private let facts: TargetFacts
    private let page: Timestamp

    init(_ facts: TargetFacts, page: Timestamp) { (self.facts, self.page) = (facts, page) }

    var context: [String: Any] { days.merging(latency) { one, _ in one } }

    // MARK: Days

    private func day(_ index: Int) -> Int64 { facts.today - Int64(facts.days.count - 1 - index) }

    private func name(_ index: Int) -> String { ShownTime.day(Timestamp(milliseconds: day(index) * 86_400_000), of: page) }

    private func link(_ index: Int) -> String {
        let identity = facts.identity.identity
        return "/incidents?client=\(percentEncoded(identity.clientID))&amp;target=\(percentEncoded(identity.key))"
            + "&amp;day=\(IncidentQuery.dayText(day(index)))"
    }

    private var days: [String: Any] {
        let window = facts.window
        let unwatched = window - facts.sums.known - facts.sums.maintenance
        let bad = facts.days.indices.reversed().filter { facts.days[$0] == .down || facts.days[$0] == .degraded }
        var context: [String: Any] = [
            "bars": DailyBars(facts.days).svg(link: link, name: name),
            "availability": ShownNumber.availability(available: facts.sums.available, of: facts.sums.known) ?? ShownNumber.none,
            "axis": [0, 30, 60].filter { $0 < facts.days.count }.map { ["text": name($0)] } + [["text": "today"]],
            "hasBadDays": !bad.isEmpty,
            "badDays": bad.map { index -> [String: Any] in
                let isDown = facts.days[index] == .down
                // Mustache escapes the link, which is escaped for SVG already.
                return [
                    "day": name(index), "link": link(index).replacing("&amp;", with: "&"),
                    "status": (isDown ? Status.down : .degraded).rawValue, "word": facts.days[index].word,
                ]
            },
        ]
        if facts.sums.known > 0, let through = facts.through { context["through"] = ShownTime(through, page: page).context }
        if facts.sums.known > 0, unwatched > 0 { context["unwatchedShare"] = ShownNumber.share(unwatched, of: window) }
        return context
    }

    // MARK: Latency

    private var latency: [String: Any] {
        let latency = facts.latency
        return [
            "windows": LatencyFacts.Window.allCases.map {
                ["name": $0.rawValue, "isCurrent": $0 == latency.window] as [String: Any]
            },
            "latencyWords": words, "plot": LatencyBand(latency.steps).svg(label: words, ticks: ticks),
            "latencyRows": coarse.reversed().map { row($0) },
        ]
    }

    private var words: String {
        let latency = facts.latency
        guard let p50 = latency.p50, let p95 = latency.p95, let p99 = latency.p99 else {
            return "No probe of the last \(latency.window.words) succeeded."
        }
        let failures = latency.steps.reduce(0) { $0 + $1.failures }
        return
            "Of the last \(latency.window.words): half of the probes took \(durationWords(p50)) at most, 95 % \(durationWords(p95)), 99 % \(durationWords(p99)). "
            + (failures == 0 ? "None failed." : "\(counted(failures, "probe")) failed.")
    }

    private var ticks: [(place: Double, text: String)] {
        let steps = facts.latency.steps
        guard let first = steps.first, let last = steps.last, steps.count > 1 else { return [] }
        let end = last.start + facts.latency.step
        let whole = end - first.start
        return [0, 0.25, 0.5, 0.75, 1].map { place in
            let moment = first.start + .milliseconds(Int64(Double(whole.wholeMilliseconds) * place))
            let isDay = facts.latency.window == .day
            let text = isDay ? String(moment.description.dropFirst(11).prefix(5)) : ShownTime.day(moment, of: page)
            return (place, text)
        }
    }

    /// So many steps together that the table stays short.
    private var coarse: [ArraySlice<LatencyStep>] {
        let steps = facts.latency.steps
        let size = max(1, (steps.count + Self.rowsMax - 1) / Self.rowsMax)
        return stride(from: 0, to: steps.count, by: size).map { steps[$0..<min($0 + size, steps.count)] }
    }

    /// Of several steps the worst: percentiles don't add up.
    private func row(_ steps: ArraySlice<LatencyStep>) -> [String: Any] {
        let isDay = facts.latency.window == .day
        let start = steps.first?.start ?? page
        return [
            "from": isDay
                ? ShownTime(start, page: page, seconds: false, zone: false).context
                : ["machine": ShownTime(dateOf: start).machine, "text": ShownTime.day(start, of: page)],
            "isWatched": steps.contains { $0.probes > 0 }, "p50": ShownNumber.milliseconds(steps.compactMap(\.p50).max()),
            "p95": ShownNumber.milliseconds(steps.compactMap(\.p95).max()),
            "p99": ShownNumber.milliseconds(steps.compactMap(\.p99).max()),
            "failed": ShownNumber.grouped(steps.reduce(0) { $0 + $1.failures }),
        ]
    }
}
