import Health

/// Numbers with and without a unit.

extension ValueParser where Answer == Int {
    static func whole(_ range: ClosedRange<Int>) -> ValueParser {
        .unquoted("a whole number", parseWhole).checked { number in
            range.contains(number)
                ? nil : "must be from \(range.lowerBound) to \(range.upperBound), not \(number)"
        }
    }

    /// Bytes, as in `64KiB`.
    static func size(_ range: ClosedRange<Int>) -> ValueParser {
        ValueParser("a size such as 64KiB or 1MiB", parseSize).checked { size in
            range.contains(size)
                ? nil : "must be from \(sizeText(range.lowerBound)) to \(sizeText(range.upperBound)), not \(sizeText(size))"
        }
    }
}

extension ValueParser where Answer == Int? {
    /// A whole number, or the word `auto`, which is nil.
    static func wholeOrAuto(_ range: ClosedRange<Int>) -> ValueParser {
        ValueParser { value, diagnostics in
            if value.text == "auto" { return .some(nil) }
            guard case .plain(let text) = value.content, parseWhole(text) != nil else {
                diagnostics.error("\(value.label) must be a whole number or auto, not \(value.kindName)", at: value.location)
                return nil
            }
            return ValueParser<Int>.whole(range).read(value, diagnostics).map { .some($0) }
        }
    }
}

extension ValueParser where Answer == Double {
    /// A share, as in `50%`; from 0 to 1.
    static var percent: ValueParser {
        ValueParser("a percentage such as 50%") { text in
            guard text.hasSuffix("%"), let number = parseWhole(String(text.dropLast())) else { return nil }
            return Double(number) / 100
        }.checked { share in
            // Printed as a Double: a number of the file's may be larger than an Int can hold.
            (0...1).contains(share) ? nil : "must be from 0% to 100%, not \(percentText(share))%"
        }
    }
}

extension ValueParser where Answer == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> ValueParser {
        ValueParser("a duration such as 500ms, 30s, 5m or 7d", parseDuration).checked { duration in
            range.contains(duration)
                ? nil
                : "must be from \(durationText(range.lowerBound)) to \(durationText(range.upperBound)), "
                    + "not \(durationText(duration))"
        }
    }
}

extension ValueParser where Answer == ProbePolicy.DNSCache {
    static var dnsCache: ValueParser {
        ValueParser("auto, or a duration such as 5s or 1m") { text in
            text == "auto" ? .auto : parseDuration(text).map { .atMost($0) }
        }.checked { cache in
            guard case .atMost(let duration) = cache, !(.zero ... .seconds(86_400) ~= duration) else { return nil }
            return "must be auto, or from 0s to 1d, not \(durationText(duration))"
        }
    }
}

/// ASCII digits, with a minus sign or without.
func parseWhole(_ text: String) -> Int? {
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    return !digits.isEmpty && digits.utf8.allSatisfy { (48...57).contains($0) } ? Int(text) : nil
}

private let durationUnits: [(name: String, milliseconds: Int)] = [
    ("y", 365 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
]
private let sizeUnits: [(name: String, bytes: Int)] = [
    ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
]

/// As in `500ms`, `30s`, `5m`, `2h`, `7d`, `1w` or `10y`.
package func parseDuration(_ text: String) -> Duration? {
    // Weeks are read, and never written.
    scaled(text, durationUnits.map { ($0.name, $0.milliseconds) } + [("w", 7 * 86_400_000)]).map { .milliseconds($0) }
}

private func parseSize(_ text: String) -> Int? { scaled(text, sizeUnits.map { ($0.name, $0.bytes) }) }

/// A whole number and the unit behind it, multiplied; nil where that isn't what it says or it doesn't fit.
private func scaled(_ text: String, _ units: [(String, Int)]) -> Int? {
    let number = text.prefix { $0 == "-" || $0.isNumber }
    guard let count = parseWhole(String(number)), let unit = units.first(where: { $0.0 == text.dropFirst(number.count) })
    else { return nil }
    let (product, overflow) = count.multipliedReportingOverflow(by: unit.1)
    return overflow ? nil : product
}

/// As one writes it in the file, in the largest unit that leaves a whole number.
func durationText(_ duration: Duration) -> String {
    let milliseconds = Int(duration.components.seconds) * 1000 + Int(duration.components.attoseconds / 1_000_000_000_000_000)
    let unit = durationUnits.first { milliseconds != 0 && milliseconds.isMultiple(of: $0.milliseconds) } ?? ("s", 1000)
    return "\(milliseconds / unit.milliseconds)\(unit.name)"
}

private func sizeText(_ bytes: Int) -> String {
    let unit = sizeUnits.first { bytes != 0 && bytes.isMultiple(of: $0.bytes) } ?? ("B", 1)
    return "\(bytes / unit.bytes)\(unit.name)"
}

private func percentText(_ share: Double) -> String {
    let percent = (share * 100).rounded()
    return Int(exactly: percent).map(String.init) ?? "\(percent)"
}
