import Health

/// The phases of a probe one after the other, beside those of the last good probe: a bar for each phase, as SVG in the row of a table.
struct Waterfall {
    struct Row {
        let name: String
        let svg: String
        let now: String
        let then: String
    }

    private static let leastWidth = 0.3
    private let now: Phases
    private let then: Phases?

    init(now: Phases, then: Phases?) { (self.now, self.then) = (now, then) }

    private func sum(_ phases: Phases?) -> Duration {
        Phase.allCases.reduce(.zero) { $0 + (phases?[$1] ?? .zero) }
    }

    var rows: [Row] {
        let whole = max(sum(now), sum(then), .microseconds(1)) * 51 / 50
        var (startNow, startThen) = (Duration.zero, Duration.zero)
        return Phase.allCases.map { phase in
            var bars = ""
            if let length = now[phase] {
                bars += bar("now", y: "1", height: 8, startNow / whole, length / whole)
                startNow += length
            }
            if let length = then?[phase] {
                bars += bar("then", y: "11.5", height: 5, startThen / whole, length / whole)
                startThen += length
            }
            return Row(
                name: phase.shownName, svg: "<svg class=\"bar\" aria-hidden=\"true\">\(bars)</svg>",
                now: ShownNumber.milliseconds(now[phase]), then: ShownNumber.milliseconds(then?[phase]))
        }
    }

    var totals: (now: String, then: String) {
        (ShownNumber.milliseconds(sum(now)), ShownNumber.milliseconds(then.map { sum($0) }))
    }

    private func bar(_ name: String, y: String, height: Int, _ start: Double, _ width: Double) -> String {
        "<rect class=\"\(name)\" x=\"\(fixed(start * 100, digits: 2))%\" y=\"\(y)\" "
            + "width=\"\(fixed(max(Self.leastWidth, width * 100), digits: 2))%\" height=\"\(height)\"/>"
    }
}
