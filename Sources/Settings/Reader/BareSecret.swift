package import Health

/// Why a text is no secret.
package enum SecretProblem: Error, Hashable, Sendable {
    case empty, tooLarge, holdsControlCharacter

    /// Goes on behind the name of the file or variable.
    package var sentence: String {
        switch self {
        case .empty: "is empty; put the secret into it"
        case .tooLarge: "is larger than a secret may be (64KiB)"
        case .holdsControlCharacter: "holds a line break or control character inside; it must be the bare secret"
        }
    }
}

/// Bytes.
package let bareSecretLimit = 64 << 10

/// The secret that a file or a variable holds. Editors, `echo`, web pages and Windows put a byte order mark before it and blanks and a line
/// break behind it, which nobody means. A secret that may have line breaks is a text, and keeps all but its last line breaks.
package func bareSecret(_ text: String, allowsLineBreaks: Bool = false) throws(SecretProblem) -> Secret {
    var scalars = text.unicodeScalars[...]
    func isLeftOff(_ scalar: Unicode.Scalar) -> Bool {
        if allowsLineBreaks { return scalar == "\n" || scalar == "\r" }
        return scalar.properties.isWhitespace || ["\u{FEFF}", "\u{200B}", "\u{2060}"].contains(scalar)
    }
    if !allowsLineBreaks { scalars = scalars.drop(while: isLeftOff) }
    while let last = scalars.last, isLeftOff(last) { scalars.removeLast() }
    let bare = String(scalars)
    if bare.isEmpty { throw .empty }
    if bare.utf8.count > bareSecretLimit { throw .tooLarge }
    if !allowsLineBreaks, holdsControlCharacter(bare) { throw .holdsControlCharacter }
    return Secret(bare)
}

/// What is said of a secret's file that every user of the machine may read.
package func readByOthers(_ path: String) -> String {
    "every user of this machine may read \(shown(path)); take that away: chmod o-r"
}
