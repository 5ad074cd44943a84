/// How many characters of foreign text are shown at most.
package let displayTextLimit = 256

/// Foreign text made safe for a log line, a terminal or a sentence: control, escape, bidirectional and other invisible format
/// characters become `\u{…}`, and what is longer than `limit` characters is cut and ends in `…`.
///
/// The text itself stays exact in JSON and in the database; only what people see goes through here.
package func displayText(_ text: String, limit: Int = displayTextLimit) -> String {
    // Nearly all text is plain, and a hundred thousand targets have names and URLs to show.
    if text.utf8.count <= limit, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
    var shown = ""
    var count = 0
    for scalar in text.unicodeScalars {
        guard count < limit else { return shown + "…" }
        if mustBeEscaped(scalar) {
            shown += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
            shown.unicodeScalars.append(scalar)
        }
        count += 1
    }
    return shown
}

private func mustBeEscaped(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
    return switch scalar.properties.generalCategory {
    // Format holds the bidirectional controls; private use and surrogates have no agreed look.
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: true
    default: false
    }
}
