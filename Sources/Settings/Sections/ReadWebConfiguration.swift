import Health

extension ReadingContext {
    private static let certificatesLimit = 1 << 20

    /// The path of a web configuration without a mistake.
    var webConfigFile: ValueParser<String> {
        ValueParser { value, diagnostics in
            guard let path = path.read(value, diagnostics) else { return nil }
            guard surroundings.readsSecrets else { return path }
            let found = WebConfiguration.load(path: path, surroundings: surroundings).diagnostics
            for diagnostic in found where diagnostic.severity == .error {
                diagnostics.error("in the file that \(value.label) names: \(diagnostic.text(file: path))", at: value.location)
            }
            return path
        }
    }

    func readWebConfiguration(_ document: Value) -> WebConfiguration {
        let read = Section.read(document, diagnostics: diagnostics) { section in
            var web = WebConfiguration()
            section.section("tls_server_config") { web.tls = readTLS(&$0) }
            section.section("http_server_config") { http in
                // HTTP/2 may be allowed or not: this listener speaks HTTP/1.1.
                var isHTTP2Allowed = true
                http.read("http2", into: &isHTTP2Allowed, as: .truth)
                if let entry = http.entry("headers") { web.headers = readHeaders(entry.value) }
            }
            if let entry = section.entry("basic_auth_users") { web.users = readUsers(entry.value) }
            return web
        }
        return read ?? WebConfiguration()
    }

    private func readTLS(_ section: inout Section) -> WebConfiguration.TLS? {
        let chain = pem("cert", "CERTIFICATE", in: &section)
        let key = pem("key", "PRIVATE KEY", in: &section)
        let authorities = pem("client_ca", "CERTIFICATE", isOptional: true, in: &section)
        var tls = WebConfiguration.TLS(certificateChain: chain ?? "", privateKey: Secret(key ?? ""))
        tls.clientAuthorities = authorities
        section.read("client_auth_type", into: &tls.clients, as: .word)
        section.read("min_version", into: &tls.least, as: .word)
        section.read("max_version", into: &tls.most, as: .word)
        section.read("cipher_suites", into: &tls.cipherSuites, as: .list(.word, limit: 20))
        section.read("curve_preferences", into: &tls.curves, as: .list(.word, limit: 8))
        var prefersOurs = true
        section.read("prefer_server_cipher_suites", into: &prefersOurs, as: .truth)
        if let names = section.entry("client_allowed_sans") {
            diagnostics.error(
                "'client_allowed_sans' is not supported; let 'client_ca_file' hold an authority that issues to those alone",
                at: names.location)
        }
        if tls.least == .tls13, tls.most == .tls12 {
            diagnostics.error("'min_version' is above 'max_version'", at: section.location(of: "min_version"))
        }
        guard let chain, let key else { return nil }
        if surroundings.pairProblem(chain, key) != nil {
            diagnostics.error(
                "the certificate and the key are no pair that OpenSSL takes: name the key that belongs to the certificate",
                at: section.location)
        }
        return tls
    }

    /// `NAME_file`, or `NAME` with the text itself.
    private func pem(_ name: String, _ what: String, isOptional: Bool = false, in section: inout Section) -> String? {
        let (file, inline) = (section.entry(name + "_file"), section.entry(name))
        if let file, let inline {
            _ = file
            diagnostics.error("only one of '\(name)_file' and '\(name)' can be meant", at: inline.location)
            return nil
        }
        if let inline {
            let text = inline.value.text ?? ""
            if text.contains("-----BEGIN "), text.contains("\(what)-----") { return text }
            diagnostics.error("\(inline.value.label) holds no PEM of a \(what)", at: inline.location)
            return nil
        }
        guard let file else {
            if !isOptional { diagnostics.error("'\(name)_file' is missing", at: section.location) }
            return nil
        }
        guard let path = path.read(file.value, diagnostics) else { return nil }
        do throws(FileProblem) {
            let text = String(decoding: try surroundings.readFile(path, Self.certificatesLimit), as: UTF8.self)
            if text.contains("\(what)-----"), !text.contains("ENCRYPTED") { return text }
            diagnostics.error(
                "\(file.value.label) names \(shown(path)), which holds no PEM of a \(what)", at: file.value.location)
        } catch {
            diagnostics.error(
                "\(file.value.label) names \(shown(path)), which can't be read: \(error.sentence)", at: file.value.location)
        }
        return nil
    }

    /// Those that exporter-toolkit knows.
    private func readHeaders(_ value: Value) -> [String: String] {
        let names = [
            "Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "X-XSS-Protection",
            "Strict-Transport-Security",
        ]
        var headers: [String: String] = [:]
        _ = Section.read(value, diagnostics: diagnostics) { section in
            for name in names {
                var text: String?
                section.read(name, into: &text, asNullable: .text())
                if let text { headers[name] = text }
            }
        }
        return headers
    }

    private func readUsers(_ value: Value) -> [String: String] {
        guard case .mapping(let entries) = value.content else {
            if !value.isNull {
                diagnostics.error("\(value.label) must be a mapping of names to bcrypt hashes", at: value.location)
            }
            return [:]
        }
        guard entries.count <= 1000 else {
            diagnostics.error("\(value.label) holds more than 1000 users", at: value.location)
            return [:]
        }
        var users: [String: String] = [:]
        for entry in entries {
            // RFC 7617: what stands before the first colon is the name.
            if entry.name.isEmpty || entry.name.contains(":") || holdsControlCharacter(entry.name) {
                diagnostics.error("a user's name must not be empty nor hold a ':'", at: entry.location)
            } else if let problem = Self.problem(ofHash: entry.value.text ?? "") {
                diagnostics.error("the hash of \(shown(entry.name)) \(problem)", at: entry.value.location)
            } else {
                users[entry.name] = entry.value.text
            }
        }
        return users
    }

    /// bcrypt's `$2y$10$` and 53 characters of its own base64. Beyond a cost of 15 a check takes seconds.
    private static func problem(ofHash text: String) -> String? {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        let letters = { (text: Substring) in
            text.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 46 || $0 == 47
            }
        }
        guard parts.count == 4, parts[0].isEmpty, ["2a", "2b", "2y"].contains(parts[1]), parts[2].utf8.count == 2,
            let cost = parseWhole(String(parts[2])), parts[3].utf8.count == 53, letters(parts[3])
        else { return "must be made by bcrypt, as by `htpasswd -nB NAME`" }
        return (4...15).contains(cost) ? nil : "has a cost of \(cost); 10 to 12 is usual, and 15 the most"
    }
}
