import Health

/// How many columns a text takes: two for East Asian wide and emoji, none for marks that stand on another character.
///
/// Ranges after Unicode 15.1's EastAsianWidth.txt (W and F), gathered into blocks; ambiguous characters count as narrow.
package func displayWidth(_ text: String) -> Int {
    text.reduce(0) { $0 + width(of: $1) }
}

private func width(of character: Character) -> Int {
    let scalars = character.unicodeScalars
    guard let first = scalars.first else { return 0 }
    if scalars.count == 1, first.isASCII { return first.value < 0x20 || first.value == 0x7F ? 0 : 1 }
    switch first.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    // U+FE0F asks for the emoji form of a character that has a text form, too.
    let isEmoji = scalars.contains { $0.value == 0xFE0F } || first.properties.isEmojiPresentation
    return isEmoji || isWide(first.value) ? 2 : 1
}

private func isWide(_ value: UInt32) -> Bool {
    switch value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
        0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60,
        0xFFE0...0xFFE6, 0x16FE0...0x18AFF, 0x1B000...0x1B2FF, 0x1F200...0x1F2FF, 0x20000...0x3FFFD:
        true
    default: false
    }
}

/// A text made safe and cut to at most `width` columns. What is cut ends in `…`, or `~` where only ASCII can be shown; or it has that in the
/// middle, and keeps its end.
package func fitted(_ text: String, to width: Int, isUnicode: Bool = true, keepsEnd: Bool = false) -> String {
    let safe = displayText(text)
    guard displayWidth(safe) > width else { return safe }
    guard width > 0 else { return "" }
    let end = keepsEnd ? (width - 1) / 2 : 0
    let tail = String(fitting(safe.reversed(), end).reversed())
    return String(fitting(safe, width - 1 - displayWidth(tail))) + (isUnicode ? "…" : "~") + tail
}

/// So many of the first characters as fit.
private func fitting(_ characters: some Sequence<Character>, _ width: Int) -> [Character] {
    var used = 0
    return characters.prefix { character in
        used += displayWidth(String(character))
        return used <= width
    }
}

/// A text made safe and broken at blanks into lines of at most `width` columns; a longer word is broken anywhere.
package func wrapped(_ text: String, to width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in displayText(text, limit: 2048).split(separator: " ") {
        let longer = line.isEmpty ? String(word) : "\(line) \(word)"
        if displayWidth(longer) <= width {
            line = longer
            continue
        }
        if !line.isEmpty { lines.append(line) }
        line = ""
        for character in word {
            if !line.isEmpty, displayWidth(line) + displayWidth(String(character)) > width {
                lines.append(line)
                line = ""
            }
            line.append(character)
        }
    }
    return line.isEmpty ? lines : lines + [line]
}

/// Filled with blanks to `width` columns.
func padded(_ text: String, to width: Int, alignment: Table.Alignment = .left) -> String {
    let blanks = String(repeating: " ", count: max(0, width - displayWidth(text)))
    return alignment == .left ? text + blanks : blanks + text
}
