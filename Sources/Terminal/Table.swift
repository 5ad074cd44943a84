import Health

/// Rows under headings. On a terminal they are fitted to its width: the columns that may shrink give way in turn, the widest first; then those
/// that may leave go, one after the other; at last what stays is cut. Off a terminal all is there, and whole.
package struct Table: Sendable {
    package enum Alignment: Hashable, Sendable { case left, right }

    package struct Column: Hashable, Sendable {
        package var heading: String
        package var alignment: Alignment
        /// Columns of the terminal that it keeps when there isn't room for all; nil when it never shrinks.
        package var minimum: Int?
        /// Its turn to leave when there isn't room for all, the lowest first; nil when it never does.
        package var leaves: Int?
        /// Both ends of its cells tell them apart, as those of a URL do: what is cut is cut in the middle.
        package var isCutInTheMiddle: Bool

        package init(
            _ heading: String, alignment: Alignment = .left, minimum: Int? = nil, leaves: Int? = nil,
            isCutInTheMiddle: Bool = false
        ) {
            self.heading = heading
            self.alignment = alignment
            self.minimum = minimum
            self.leaves = leaves
            self.isCutInTheMiddle = isCutInTheMiddle
        }

        /// What a table is read for: it never leaves, and neither a reason or cause nor a status of HTTP behind it is cut for the sake of another
        /// column.
        package static let why = Column(
            "Why",
            minimum: max(
                (Reason.allCases.map(\.rawValue) + Cause.allCases.map(\.rawValue)).map(\.count).max() ?? 0,
                "\(Reason.statusUnexpected.rawValue): HTTP 503".count))
    }

    package struct Cell: Hashable, Sendable, ExpressibleByStringInterpolation {
        /// Foreign text may stand here as it is.
        package var text: String
        package var colour: Colour?

        package init(_ text: String, colour: Colour? = nil) {
            self.text = text
            self.colour = colour
        }

        package init(stringLiteral value: String) { self.init(value) }
    }

    package var columns: [Column]
    /// A row's missing cells are empty, its surplus ones are not shown.
    package var rows: [[Cell]]

    package init(columns: [Column], rows: [[Cell]] = []) {
        self.columns = columns
        self.rows = rows
    }

    package mutating func remove(column index: Int) {
        columns.remove(at: index)
        for row in rows.indices where rows[row].indices.contains(index) { rows[row].remove(at: index) }
    }

    private static let gap = "  "
    /// So much of a column can still be read.
    private static let leastWidth = 8

    /// The lines, each ending in a line break; on a terminal no line is wider than the style, however narrow that is.
    package func text(_ style: TerminalStyle) -> String {
        let natural = naturalWidths(style)
        guard style.isCut else { return text(natural, style) }
        var shown = Array(columns.indices)
        var widths = shrunk(shown, natural, style)
        while total(widths) > style.width, let next = shown.filter({ columns[$0].leaves != nil }).min(by: leavesBefore) {
            shown.removeAll { $0 == next }
            widths = shrunk(shown, natural, style)
        }
        while total(widths) > style.width, let next = lastResort(shown, widths) { widths[next, default: 1] -= 1 }
        return text(widths, style)
    }

    /// What is cut further where only columns are left that stay: the first of those that may shrink, which is a name, before what comes of it.
    private func lastResort(_ shown: [Int], _ widths: [Int: Int]) -> Int? {
        let name = shown.first { columns[$0].minimum != nil && widths[$0, default: 0] > Self.leastWidth }
        return name ?? widths.max(by: isNarrower).flatMap { $0.value > 1 ? $0.key : nil }
    }

    private func leavesBefore(_ a: Int, _ b: Int) -> Bool { (columns[a].leaves ?? .max) < (columns[b].leaves ?? .max) }

    /// Of two that are as wide, the one further right gives way.
    private func isNarrower(_ a: (key: Int, value: Int), _ b: (key: Int, value: Int)) -> Bool {
        (a.value, a.key) < (b.value, b.key)
    }

    /// By column.
    private func naturalWidths(_ style: TerminalStyle) -> [Int: Int] {
        var widths: [Int: Int] = [:]
        for index in columns.indices {
            widths[index] = rows.reduce(displayWidth(columns[index].heading)) { widest, row in
                row.indices.contains(index)
                    ? max(widest, displayWidth(shown(row[index].text, style.width, style, columns[index]))) : widest
            }
        }
        return widths
    }

    /// The widths of some columns, of which those that may give way, down to what each keeps.
    private func shrunk(_ shown: [Int], _ natural: [Int: Int], _ style: TerminalStyle) -> [Int: Int] {
        var widths = natural.filter { shown.contains($0.key) }
        while total(widths) > style.width {
            let shrinkable = widths.filter { index, width in columns[index].minimum.map { width > $0 } ?? false }
            guard let widest = shrinkable.max(by: isNarrower) else { break }
            widths[widest.key] = widest.value - 1
        }
        return widths
    }

    private func total(_ widths: [Int: Int]) -> Int { widths.values.reduce(0, +) + Self.gap.count * max(0, widths.count - 1) }

    private func text(_ widths: [Int: Int], _ style: TerminalStyle) -> String {
        let heading = line(columns.map { Cell($0.heading.uppercased(), colour: .dim) }, widths, style)
        return rows.reduce(into: heading) { $0 += line($1, widths, style) }
    }

    private func shown(_ text: String, _ width: Int, _ style: TerminalStyle, _ column: Column) -> String {
        guard style.isCut else { return displayText(text, limit: .max) }
        return fitted(text, to: width, isUnicode: style.isUnicode, keepsEnd: column.isCutInTheMiddle)
    }

    private func line(_ row: [Cell], _ widths: [Int: Int], _ style: TerminalStyle) -> String {
        var line = ""
        for (index, column) in columns.enumerated() {
            guard let width = widths[index] else { continue }
            let cell = row.indices.contains(index) ? row[index] : Cell("")
            let text = shown(cell.text, width, style, column)
            let blanks = String(repeating: " ", count: max(0, width - displayWidth(text)))
            let coloured = style.coloured(text, cell.colour)
            line += (line.isEmpty ? "" : Self.gap) + (column.alignment == .left ? coloured + blanks : blanks + coloured)
        }
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }
}
