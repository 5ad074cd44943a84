/// Which modules each module may import. This table is the import rule.
///
/// Tests compare the sources, the table of docs/architecture.md and the dependencies of Package.swift with this table.
enum ImportRule {
    /// Free to every module. A target's tests may import more.
    static let free: Set<String> = ["Swift", "Synchronization"]

    static let modules: [String: Set<String>] = [
        "CCurl": [],
        "CReceive": [],
        "CHandshake": [],
        "CProcess": [],
        "CMalloc": [],
        "CZlib": [],
        "CCrypt": [],
        "Curl": ["CCurl", "CHandshake", "CReceive", "CZlib", "DequeModule", "Dispatch", "Glibc", "HeapModule"],
        "Health": [],
        "LockOrder": ["Glibc"],
        "CPCRE2": [],
        "Probing": ["Health", "Curl", "CPCRE2", "FoundationEssentials", "Glibc"],
        "Scheduling": ["Health", "LockOrder", "HeapModule", "DequeModule"],
        "COpenSSL": [],
        "Digests": ["COpenSSL"],
        "TargetsAPI": ["Digests", "Health", "FoundationEssentials"],
        "ConnectionLimits": ["Health", "Glibc", "HTTPTypes", "NIOCore", "NIOHTTP1", "NIOHTTPTypes"],
        "TargetsServer": hummingbird.union([
            "Health", "ConnectionLimits", "DatabaseFiles", "Digests", "TargetsAPI", "GRDB", "FoundationEssentials",
        ]),
        "DatabaseFiles": ["GRDB", "GRDBSQLite", "Glibc"],
        "History": ["DatabaseFiles", "Health", "LockOrder", "GRDB", "GRDBSQLite", "DequeModule", "Glibc"],
        "Exposition": ["Health", "LockOrder", "Glibc"],
        "Pages": ["Health", "Mustache", "FoundationEssentials"],
        "Alerting": ["Digests", "Health", "LockOrder", "DequeModule", "FoundationEssentials"],
        "Web": hummingbird.union([
            "Health", "ConnectionLimits", "Digests", "Exposition", "Pages", "FoundationEssentials", "CZlib", "CCrypt", "Dispatch",
            "Glibc", "NIOPosix", "NIOExtras", "NIOHTTPTypes", "NIOSSL",
        ]),
        "Settings": ["Health", "Yams", "Glibc"],
        "Terminal": ["Health", "Glibc"],
        "SampleTargets": hummingbird.union(["COpenSSL", "HummingbirdTLS", "NIOSSL"]),
        "Daemon": [
            "CMalloc", "Health", "LockOrder", "Curl", "Probing", "Scheduling", "TargetsAPI", "TargetsServer", "History",
            "Exposition", "Pages", "Alerting", "ConnectionLimits", "Web", "Settings", "ServiceLifecycle", "UnixSignals",
            "Logging", "Glibc", "Dispatch",
        ],
        "rangefinder": [
            "CProcess", "ConnectionLimits", "DatabaseFiles", "Health", "Curl", "Probing", "TargetsAPI", "TargetsServer",
            "History", "Pages", "Alerting",
            "Settings", "Terminal", "SampleTargets", "Daemon", "ArgumentParser", "ServiceLifecycle", "UnixSignals", "Logging",
            "FoundationEssentials", "Glibc",
        ],
    ]

    /// What Hummingbird's own interface is spread over: a member counts as used only where its module is imported by name.
    private static let hummingbird: Set<String> = [
        "Hummingbird", "HummingbirdCore", "HTTPTypes", "NIOCore", "Logging", "ServiceLifecycle",
    ]

    /// Of the modules that `module` may import, those of this package.
    static func ownModules(of module: String) -> Set<String> { (modules[module] ?? []).intersection(modules.keys) }

    /// What `source`, a file of `module`, imports against the rule.
    static func violations(in source: String, of module: String) -> [String] {
        guard let allowed = modules[module] else { return ["the module \(module) has no row in the table of imports"] }
        return imports(in: source)
            .filter { !allowed.contains($0) && !free.contains($0) }
            .map { "\(module) may not import \($0)" }
    }

    /// The modules that a Swift file imports, in whichever form: with an access level, an attribute, one declaration only, a submodule.
    static func imports(in source: String) -> [String] {
        let kinds: Set<String> = ["struct", "class", "enum", "protocol", "typealias", "func", "var", "let"]
        let words = words(of: SwiftText(source).code)
        return words.indices.compactMap { index in
            guard words[index] == "import", index == 0 || ![".", "`"].contains(words[index - 1]) else { return nil }
            let rest = words[(index + 1)...].drop { kinds.contains($0) || $0 == "`" }
            return rest.first == ":" ? nil : rest.first
        }
    }

    private static func words(of code: String) -> [String] {
        var words: [String] = []
        var isInWord = false
        for character in code {
            let belongsToWord = character.isLetter || character.isNumber || character == "_"
            if belongsToWord, isInWord {
                words[words.count - 1].append(character)
            } else if !character.isWhitespace {
                words.append(String(character))
            }
            isInWord = belongsToWord
        }
        return words
    }
}
