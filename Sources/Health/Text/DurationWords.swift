/// A duration with three digits that count, as in `850 µs`, `2.1 ms`, `143 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`.
package func durationWords(_ duration: Duration, isUnicode: Bool = true) -> String {
    let microseconds = max(0, duration.wholeMicroseconds)
    switch microseconds {
    case 0: return "0 ms"
    case ..<1000: return "\(microseconds) \(isUnicode ? "µs" : "us")"
    case ..<99_950: return "\(tenths(microseconds, of: 1000)) ms"
    case ..<999_500: return "\((microseconds + 500) / 1000) ms"
    case ..<59_950_000: return "\(tenths(microseconds, of: 1_000_000)) s"
    default: return pair((microseconds + 500_000) / 1_000_000)
    }
}

private func tenths(_ value: Int64, of unit: Int64) -> String {
    let tenths = (value + unit / 20) / (unit / 10)
    return "\(tenths / 10).\(tenths % 10)"
}

/// The two largest units of a time in seconds; the smaller is left out when it is zero.
private func pair(_ seconds: Int64) -> String {
    let units: [(Int64, String)] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")]
    guard let index = units.firstIndex(where: { seconds >= $0.0 }) else { return "0 s" }
    let large = "\(seconds / units[index].0) \(units[index].1)"
    guard index + 1 < units.count else { return large }
    let rest = seconds % units[index].0 / units[index + 1].0
    return rest == 0 ? large : "\(large) \(rest) \(units[index + 1].1)"
}
