// Pages: what a person sees in a browser: values → HTML, SVG, JSON and Atom.
// What lives here: the templates, the stylesheet and the script, the charts, what a page says of the values it is given, and the index of the
// targets that lists are made from.
// What doesn't: sockets and caching (Web), the database (History), locks and clocks (Daemon, which gives the values).
// Everything foreign is made safe here: Mustache escapes it, and ``shownText(_:limit:)`` shows what has no look of its own.

internal import Mustache
import Health

/// Makes the HTML of pages from their views. The templates are compiled into the program, and parsed once.
package struct PageRenderer: Sendable {
    private let library: MustacheLibrary
    package let assets: Assets

    /// Throws what is wrong with a template: that is a mistake of this program, and the tests find it.
    package init(assets: Assets = Assets()) throws {
        // Mustache's own goes by characters: of a quote with an accent it takes none for a quote.
        MustacheContentTypes.register(Markup(), named: "HTML")
        var library = MustacheLibrary()
        for (name, bytes) in Self.templates {
            try library.register(String(decoding: bytes, as: UTF8.self), named: name)
        }
        (self.library, self.assets) = (library, assets)
    }

    private static let templates: [String: [UInt8]] = [
        "frame": PackageResources.frame_mustache, "status": PackageResources.status_mustache,
        "brief": PackageResources.brief_mustache, "overview": PackageResources.overview_mustache,
        "targets": PackageResources.targets_mustache, "target": PackageResources.target_mustache,
        "said": PackageResources.said_mustache, "incidentrows": PackageResources.incidentrows_mustache,
        "incidents": PackageResources.incidents_mustache, "incident": PackageResources.incident_mustache,
        "certificates": PackageResources.certificates_mustache, "daemon": PackageResources.daemon_mustache,
        "wall": PackageResources.wall_mustache, "windows": PackageResources.windows_mustache,
        "notice": PackageResources.notice_mustache,
    ]

    /// - Parameters:
    ///   - template: of the page.
    ///   - context: what the template names.
    func html(_ template: String, _ frame: PageFrame, _ context: [String: Any]) -> String {
        let whole = frame.context(assets).merging(context) { _, page in page }
        return library.render(whole.mapValues(Row.closed), withTemplate: template) ?? ""
    }
}

/// Foreign text for a page: characters without a look of their own are shown, and what is longer is cut. Mustache escapes it afterwards.
func shownText(_ text: String, limit: Int = 80) -> String { displayText(text, limit: limit) }

/// A row of a list as a template sees it. What a row doesn't have is absent there. Mustache would go on to look for it in what is around the list,
/// and find something else by the same name.
private struct Row: MustacheParent {
    private struct Absent: MustacheCustomRenderable {
        var renderText: String { "" }
        var isNull: Bool { true }
    }

    private let values: [String: Any]

    func child(named name: String) -> Any? { values[name] ?? Absent() }

    /// The same value, in which each mapping in a list is such a row.
    static func closed(_ value: Any) -> Any {
        switch value {
        case let rows as [[String: Any]]: rows.map { Row(values: $0.mapValues(closed)) }
        case let part as [String: Any]: part.mapValues(closed)
        default: value
        }
    }
}

/// Escapes what stands in HTML or XML, scalar by scalar, within an element and within a quoted attribute.
private struct Markup: MustacheContentType {
    func escapeText(_ text: String) -> String { markupEscaped(text) }
}

func markupEscaped(_ text: String) -> String {
    guard text.utf8.contains(where: { "&<>\"'".utf8.contains($0) }) else { return text }
    var escaped = ""
    escaped.reserveCapacity(text.utf8.count + 16)
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": escaped += "&amp;"
        case "<": escaped += "&lt;"
        case ">": escaped += "&gt;"
        case "\"": escaped += "&quot;"
        case "'": escaped += "&#39;"
        default: escaped.unicodeScalars.append(scalar)
        }
    }
    return escaped
}

/// What a template takes for a thing that isn't there, where no list is around it.
func orAbsent(_ value: Any?) -> Any { value ?? false }
