/// What a header `Link` says (RFC 8288, section 3): targets, and what each is to the answer.
package struct LinkHeader: Hashable, Sendable {
    /// The target of the first link whose relations include this one; a relation's case means nothing. nil for an empty target: it is the answer
    /// itself (RFC 3986, section 4.4), which some APIs name where there is nothing else to name.
    package func target(of relation: String) -> String? {
        let target = links.first { $0.relations.contains(relation) }?.target
        return target == "" ? nil : target
    }

    private struct Link: Hashable, Sendable {
        var target: String
        var relations: [String]
    }

    private var links: [Link] = []

    /// - Parameter values: of all the headers of that name.
    /// - Returns: nil when it isn't one, for half of what it says may be the half that matters.
    package init?(_ values: [String]) {
        for value in values {
            var rest = Substring(value)
            while true {
                rest = rest.drop { " \t,".contains($0) }
                if rest.isEmpty { break }
                guard let link = Self.link(&rest) else { return nil }
                links.append(link)
            }
        }
    }

    private static func link(_ rest: inout Substring) -> Link? {
        guard rest.first == "<", let end = rest.firstIndex(of: ">") else { return nil }
        var link = Link(target: String(rest[rest.index(after: rest.startIndex)..<end]), relations: [])
        rest = rest[rest.index(after: end)...]
        var hasRelation = false
        while true {
            rest = rest.drop { " \t".contains($0) }
            guard rest.first == ";" else { return rest.isEmpty || rest.first == "," ? link : nil }
            rest = rest.dropFirst().drop { " \t".contains($0) }
            let name = rest.prefix { !"=;, \t".contains($0) }.lowercased()
            rest = rest.dropFirst(name.count).drop { " \t".contains($0) }
            guard rest.first == "=" else { continue }
            rest = rest.dropFirst().drop { " \t".contains($0) }
            guard let value = value(&rest) else { return nil }
            // The first counts (section 3.3).
            guard name == "rel", !hasRelation else { continue }
            hasRelation = true
            link.relations = value.lowercased().split(whereSeparator: { " \t".contains($0) }).map(String.init)
        }
    }

    /// A token or a quoted string (RFC 9110, section 5.6). Single quotes are none of HTTP's, but are met.
    private static func value(_ rest: inout Substring) -> String? {
        guard let quote = rest.first, quote == "\"" || quote == "'" else {
            let token = rest.prefix { !";, \t".contains($0) }
            rest = rest.dropFirst(token.count)
            return String(token)
        }
        rest = rest.dropFirst()
        var value = ""
        while let character = rest.popFirst() {
            if character == quote { return value }
            guard character == "\\" else {
                value.append(character)
                continue
            }
            guard let escaped = rest.popFirst() else { return nil }
            value.append(escaped)
        }
        return nil
    }
}
