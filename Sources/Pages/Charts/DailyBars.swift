import Health

/// What is known of one target and one day, in one byte: a hundred thousand targets have ninety of them in memory.
package enum DayState: UInt8, Hashable, Sendable, CaseIterable {
    /// Nobody looked.
    case unknown, good, degraded, down

    /// Of a day on which a target is like that.
    init(_ status: Status) {
        self =
            switch status {
            case .unknown: .unknown
            case .up: .good
            case .degraded: .degraded
            case .down: .down
            }
    }

    /// As a person reads it.
    var word: String {
        switch self {
        case .unknown: "not watched"
        case .good: "good"
        case .degraded: "degraded"
        case .down: "down"
        }
    }

    /// The class in the stylesheet.
    fileprivate var mark: String {
        switch self {
        case .unknown: "u"
        case .good: "g"
        case .degraded: "w"
        case .down: "d"
        }
    }

    /// Where its bar begins, of 20: the height says the state without colour.
    fileprivate var top: Int {
        switch self {
        case .unknown: 19
        case .good: 16
        case .degraded: 13
        case .down: 10
        }
    }
}

/// One bar a day, the oldest first, as SVG. All days of a state are one path, so that a run of good days is a dozen bytes.
package struct DailyBars: Hashable, Sendable {
    private let days: [DayState]

    package init(_ days: [DayState]) { self.days = days }

    private struct Run {
        var state: DayState
        var first: Int
        var count: Int
    }

    private var runs: [Run] {
        var runs: [Run] = []
        for (index, state) in days.enumerated() {
            if runs.last?.state == state {
                runs[runs.count - 1].count += 1
            } else {
                runs.append(Run(state: state, first: index, count: 1))
            }
        }
        return runs
    }

    /// For whoever doesn't see them, as in `90 days: 2 down, 88 good`.
    package var words: String {
        let counts = [DayState.down, .degraded, .good, .unknown].compactMap { state -> String? in
            let count = days.count { $0 == state }
            return count > 0 ? "\(count) \(state.word)" : nil
        }
        return "\(counted(days.count, "day")): " + counts.joined(separator: ", ")
    }

    private func path(_ state: DayState, _ runs: [Run]) -> String {
        let steps = runs.filter { $0.state == state }.map { "M\(3 * $0.first) \(state.top)h\(3 * $0.count - 1)" }
        return steps.isEmpty ? "" : "<path class=\"\(state.mark)\" d=\"\(steps.joined())\"/>"
    }

    /// Small, for a row of a list.
    package var svg: String {
        let (runs, width) = (runs, 3 * days.count)
        return
            "<svg class=\"bars\" role=\"img\" aria-label=\"\(words)\" viewBox=\"0 0 \(width) 20\" preserveAspectRatio=\"none\">"
            + [DayState.good, .unknown, .degraded, .down].map { path($0, runs) }.joined() + "</svg>"
    }

    /// Large: each day that isn't good is a link.
    ///
    /// - Parameters:
    ///   - link: of a day, by its index; escaped for an attribute.
    ///   - name: of a day, as in `21 Nov`.
    package func svg(link: (Int) -> String, name: (Int) -> String) -> String {
        let (runs, width) = (runs, 3 * days.count)
        let links = runs.filter { $0.state == .degraded || $0.state == .down }.flatMap { run in
            (run.first..<run.first + run.count).map { index in
                let words = "\(name(index)): \(run.state.word)"
                return "<a href=\"\(link(index))\" aria-label=\"\(words)\"><path class=\"\(run.state.mark)\" "
                    + "d=\"M\(3 * index) \(run.state.top)h2\"/><title>\(words)</title></a>"
            }
        }
        return
            "<svg class=\"bars full\" role=\"group\" aria-label=\"\(words)\" viewBox=\"0 0 \(width) 20\" preserveAspectRatio=\"none\">"
            + links.joined() + path(.good, runs) + path(.unknown, runs) + "</svg>"
    }
}
