/// Rows under headings, fitted to a width: the columns that may shrink give way in turn, the widest first.
package struct Table: Sendable {
    package enum Alignment: Hashable, Sendable { case left, right }

    package struct Column: Hashable, Sendable {
        package var heading: String
        package var alignment: Alignment
        /// Columns of the terminal that it keeps when there isn't room for all; nil when it never shrinks.
        package var minimum: Int?

        package init(_ heading: String, alignment: Alignment = .left, minimum: Int? = nil) {
            self.heading = heading
            self.alignment = alignment
            self.minimum = minimum
        }
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

    private static let gap = "  "

    /// The lines, each ending in a line break; no line is wider than the style, however narrow that is.
    package func text(_ style: TerminalStyle) -> String {
        let widths = widths(style)
        let heading = line(columns.map { Cell($0.heading.uppercased(), colour: .dim) }, widths, style)
        return rows.reduce(into: heading) { $0 += line($1, widths, style) }
    }

    private func widths(_ style: TerminalStyle) -> [Int] {
        var widths = columns.indices.map { index in
            rows.reduce(displayWidth(columns[index].heading)) { widest, row in
                row.indices.contains(index)
                    ? max(widest, displayWidth(fitted(row[index].text, to: style.width, isUnicode: style.isUnicode))) : widest
            }
        }
        let available = style.width - Self.gap.count * max(0, columns.count - 1)
        while widths.reduce(0, +) > available {
            let shrinkable = columns.indices.filter { index in columns[index].minimum.map { widths[index] > $0 } ?? false }
            guard let widest = shrinkable.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
        }
        return widths
    }

    private func line(_ row: [Cell], _ widths: [Int], _ style: TerminalStyle) -> String {
        var line = ""
        var used = 0
        for (index, column) in columns.enumerated() {
            let cell = row.indices.contains(index) ? row[index] : Cell("")
            let gap = index == 0 ? "" : Self.gap
            let room = min(widths[index], style.width - used - gap.count)
            // What no shrinking made room for is left off at the right.
            guard room > 0 else { break }
            let text = fitted(cell.text, to: room, isUnicode: style.isUnicode)
            let blanks = String(repeating: " ", count: max(0, room - displayWidth(text)))
            let coloured = style.coloured(text, cell.colour)
            line += gap + (column.alignment == .left ? coloured + blanks : blanks + coloured)
            used += gap.count + room
        }
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }
}
