/// Appends the parts of a page to a buffer of bytes.
struct PageWriter: Sendable {
    private(set) var bytes: [UInt8] = []

    /// Hands over what was written, and starts again with room for so many bytes.
    mutating func take(reserving capacity: Int) -> [UInt8] {
        var taken: [UInt8] = []
        taken.reserveCapacity(capacity)
        swap(&taken, &bytes)
        return taken
    }

    mutating func write(_ text: String) { bytes.append(contentsOf: text.utf8) }
    mutating func write(_ text: [UInt8]) { bytes.append(contentsOf: text) }
    mutating func write(_ text: ArraySlice<UInt8>) { bytes.append(contentsOf: text) }
    mutating func write(_ character: Unicode.Scalar) { bytes.append(UInt8(truncatingIfNeeded: character.value)) }

    /// The lines that announce a family. OpenMetrics fixes their order; the older format doesn't mind.
    mutating func write(_ family: Family, format: MetricsFormat) {
        let title = family.title(in: format)
        switch format {
        case .text:
            write("# HELP \(title) \(family.help)\n# TYPE \(title) \(family.kind.rawValue)\n")
        case .openMetrics:
            write("# TYPE \(title) \(family.kind.rawValue)\n")
            if let unit = family.unit { write("# UNIT \(title) \(unit)\n") }
            write("# HELP \(title) \(family.help)\n")
        }
    }

    /// `name="value"`, the value escaped as both formats want it: whatever it holds, it ends neither the value nor the line.
    mutating func write(label name: String, _ value: String) {
        write(name)
        write("=\"")
        if !value.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n") }) {
            write(value)
            return write("\"")
        }
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): write("\\\\")
            case UInt8(ascii: "\""): write("\\\"")
            case UInt8(ascii: "\n"): write("\\n")
            default: bytes.append(byte)
            }
        }
        write("\"")
    }

    /// One line. The labels' values may be anything.
    mutating func write(sample name: String, labels: [(name: String, value: String)] = [], _ value: Double) {
        write(name)
        for (index, label) in labels.enumerated() {
            write(index == 0 ? "{" : ",")
            write(label: label.name, label.value)
        }
        write(labels.isEmpty ? " " : "} ")
        write(value)
        write("\n")
    }

    /// A number in decimal, without an exponent as long as digits do: nanoseconds below a million, microseconds (all that a
    /// `Double` of seconds since 1970 holds) above.
    mutating func write(_ value: Double) {
        guard value.isFinite else { return write(value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf") }
        let magnitude = value.magnitude
        guard magnitude < 9e12 else { return write(value.description) }
        if value < 0 { write("-") }
        let decimals = magnitude < 1e6 ? 9 : 6
        let scale: UInt64 = magnitude < 1e6 ? 1_000_000_000 : 1_000_000
        let scaled = UInt64((magnitude * Double(scale)).rounded())
        var (fraction, width) = (scaled % scale, decimals)
        write(digits: scaled / scale, atLeast: 1)
        guard fraction > 0 else { return }
        while fraction % 10 == 0 {
            fraction /= 10
            width -= 1
        }
        write(".")
        write(digits: fraction, atLeast: width)
    }

    private mutating func write(digits value: UInt64, atLeast width: Int) {
        var low = bytes.count
        var rest = value
        repeat {
            bytes.append(UInt8(truncatingIfNeeded: 48 + rest % 10))
            rest /= 10
        } while rest > 0 || bytes.count - low < width
        var high = bytes.count - 1
        while low < high {
            bytes.swapAt(low, high)
            low += 1
            high -= 1
        }
    }
}
