package import Health

/// How long ago a moment was, in one unit: `now`, `12 s ago`, `3 min ago`, `5 h ago`, `9 d ago`; `in 3 min` for one to come.
package func ago(_ moment: Timestamp, now: Timestamp) -> String {
    let seconds = (now - moment).wholeMilliseconds / 1000
    if seconds == 0 { return "now" }
    let words = age(seconds.magnitude)
    return seconds > 0 ? "\(words) ago" : "in \(words)"
}

private func age(_ seconds: UInt64) -> String {
    switch seconds {
    case ..<60: "\(seconds) s"
    case ..<3600: "\(seconds / 60) min"
    case ..<172_800: "\(seconds / 3600) h"
    default: "\(seconds / 86_400) d"
    }
}

enum MomentPart { case minute, second }

/// A moment in UTC, as in `2026-11-27 10:33Z` or `2026-11-27 10:33:46Z`.
func momentWords(_ moment: Timestamp, upTo part: MomentPart) -> String {
    let text = moment.description
    return text.prefix(10) + " " + text.dropFirst(11).prefix(part == .minute ? 5 : 8) + "Z"
}
