/// How many characters of foreign text are shown at most.
package let displayTextLimit = 256

/// Foreign text made safe for a log line, a terminal, a CSV cell or a sentence: control, escape, bidirectional and other invisible format
/// characters become `\u{…}`, and what is longer than `limit` Unicode scalars is cut and ends in `…`.
///
/// The text itself stays exact in JSON and in the database; only what people see goes through here.
package func displayText(_ text: String, limit: Int = displayTextLimit) -> String {
    // Nearly all text is plain, and a hundred thousand targets have names and URLs to show.
    if text.utf8.count <= limit, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
    var shown = ""
    var count = 0
    for character in text {
        let scalars = Array(character.unicodeScalars)
        guard count + scalars.count <= limit else {
            // A character is left off as a whole, so that no half of an emoji is shown. One of many marks is cut within itself.
            if scalars.count > characterScalarsMax { append(scalars.prefix(limit - count), of: scalars, to: &shown) }
            return shown + "…"
        }
        append(scalars[...], of: scalars, to: &shown)
        count += scalars.count
    }
    return shown
}

/// Unicode scalars of the longest character that is never cut within itself. The longest emoji that Unicode recommends has ten.
private let characterScalarsMax = 16

private func append(_ part: ArraySlice<Unicode.Scalar>, of character: [Unicode.Scalar], to shown: inout String) {
    for index in part.indices {
        if mustBeEscaped(character[index]), !joinsEmoji(character, at: index) {
            shown += "\\u{\(String(character[index].value, radix: 16))}"
        } else {
            shown.unicodeScalars.append(character[index])
        }
    }
}

/// Whether a scalar has no look of its own or changes how others look: controls, bidirectional and other format characters, line
/// separators, private use, and what Unicode hasn't assigned.
package func mustBeEscaped(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
    return switch scalar.properties.generalCategory {
    // Format holds the bidirectional controls; private use and surrogates have no agreed look.
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: true
    default: false
    }
}

/// Whether a scalar is one of the two kinds of format characters that emoji are made with (Unicode Technical Standard 51): U+200D between
/// two of them, and the tags behind the black flag. Elsewhere both are invisible, and would let two names look the same.
private func joinsEmoji(_ character: [Unicode.Scalar], at index: Int) -> Bool {
    switch character[index].value {
    case 0x200D:
        let before = character[..<index].last { $0.value != 0xFE0F && !$0.properties.isEmojiModifier }
        let after = index + 1 < character.count ? character[index + 1] : nil
        return before.map(isPictograph) == true && after.map(isPictograph) == true
    case 0xE0030...0xE0039, 0xE0061...0xE007A, 0xE007F:
        return character[0].value == 0x1F3F4 && character.count <= 8 && character.last?.value == 0xE007F
            && character[1...].allSatisfy { (0xE0030...0xE007F).contains($0.value) }
    default: return false
    }
}

/// Digits and `#` are emoji, too, and no part of a joined one.
private func isPictograph(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isEmoji && scalar.value > 0xFF }

/// A count and its noun: `1 target`, `2 targets`, `0 targets`.
package func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
    "\(count) \(count == 1 ? one : many ?? one + "s")"
}

/// A duration in milliseconds, as in `143 ms`. Below ten of them a tenth is shown where there is one: what took time never took `0 ms`.
package func millisecondWords(_ duration: Duration) -> String {
    let microseconds = max(0, duration.wholeMicroseconds)
    guard microseconds < 10_000, !microseconds.isMultiple(of: 1000) else { return "\(microseconds / 1000) ms" }
    guard microseconds >= 100 else { return "less than 0.1 ms" }
    let tenths = microseconds / 100
    return tenths.isMultiple(of: 10) ? "\(tenths / 10) ms" : "\(tenths / 10).\(tenths % 10) ms"
}
