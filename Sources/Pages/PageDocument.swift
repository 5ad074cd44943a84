import Health

/// How a page was asked for.
package struct PageRequest: Hashable, Sendable {
    /// Without the ending of a twin, and without `refresh`.
    package var path: String
    package var query: String
    /// JSON is wanted, and not HTML.
    package var isTwin: Bool
    package var refreshSeconds: Int?

    package init(path: String, query: String, isTwin: Bool, refreshSeconds: Int?) {
        (self.path, self.query, self.isTwin, self.refreshSeconds) = (path, query, isTwin, refreshSeconds)
    }
}

/// A page that was made.
package struct PageDocument: Sendable {
    package let contentType: String
    package let bytes: [UInt8]
    /// Of what is shown, without when the page was made: the same as long as nothing else has changed.
    package let hash: String
    /// Of a list: the path of the next page; nil on the last.
    package var next: String?

    /// What stands in a text for the time at which it was made. Foreign text can't have these: they are of private use, and always shown escaped.
    static let (machineTime, shownTime) = ("\u{E0A0}m", "\u{E0A0}s")

    init(html: String, asOf: Timestamp) { self.init(contentType: "text/html; charset=utf-8", html, asOf: asOf) }

    init(contentType: String, _ text: String, asOf: Timestamp) {
        self.contentType = contentType
        let text = Array(text.utf8)
        hash = Assets.hash(text)
        let time = ShownTime(asOf, page: asOf)
        bytes = Self.replaced(text, [(Array(Self.machineTime.utf8), time.machine), (Array(Self.shownTime.utf8), time.text)])
    }

    /// Puts texts in the place of marks, which begin with the same byte. `String.replacing` reads a page character by character, and takes a
    /// third of the time of the page by that.
    private static func replaced(_ text: [UInt8], _ marks: [(mark: [UInt8], text: String)]) -> [UInt8] {
        guard let first = marks.first?.mark.first else { return text }
        var (found, rest): ([UInt8], ArraySlice<UInt8>) = ([], text[...])
        found.reserveCapacity(text.count + 256)
        while let start = rest.firstIndex(of: first) {
            found += rest[..<start]
            rest = rest[start...]
            let mark = marks.first { rest.starts(with: $0.mark) }
            if let mark { found += mark.text.utf8 } else { found.append(first) }
            rest = rest.dropFirst(mark?.mark.count ?? 1)
        }
        return found + rest
    }

    /// - Parameter items: of the envelope, encoded.
    init(twin kind: String, items: String, asOf: Timestamp) {
        contentType = "application/json"
        hash = Assets.hash(Array(items.utf8))
        bytes = Array("{\"generated_at\":\"\(asOf.description)\",\"items\":\(items),\"kind\":\"\(kind)\",\"version\":1}\n".utf8)
    }
}
