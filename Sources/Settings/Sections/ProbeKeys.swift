import Health

/// The keys of a `probe` section, read over the policy that holds without them.
struct ProbeKeys: SectionKeys {
    let context: ReadingContext
    /// Why no secret may stand here: the end of a sentence. nil where one may.
    let secretRefusal: String?

    /// Without a host that is written out, whoever names a target would get the secret.
    static let needsOverride =
        "needs an override whose match.url is https with the last two labels of its host written out, as in https://*.example.com"

    var keys: [Key<ProbePolicy>] { timing + request + connection }

    private var timing: [Key<ProbePolicy>] {
        let interval = ValueParser.duration(.milliseconds(100) ... .seconds(7 * 86_400))
        let upToAnHour = ValueParser.duration(.milliseconds(1) ... .seconds(3600))
        return [
            Key("enabled", default: "true", \.isEnabled, as: .truth),
            Key("interval", default: "30s", \.interval, as: interval),
            Key("fast_interval", default: "5s", \.fastInterval, as: interval),
            Key("timeout", default: "10s", \.timeout, as: upToAnHour),
            Key("fall", default: "3", \.fall, as: .whole(1...100)),
            Key("rise", default: "2", \.rise, as: .whole(1...100)),
            Key("taint_after", default: "1s", \.taintAfter, as: upToAnHour),
        ]
    }

    private var request: [Key<ProbePolicy>] {
        [
            // `method` stands above `expect`, because the check of `expect` reads the method.
            Key("method", default: "GET", \.method, as: method),
            Key("headers", default: "{}", \.headers, as: headers),
            Key("body", \.body, asNullable: context.policyText(limit: 64 << 10, allowsLineBreaks: true)),
            Key("user_agent", default: .words("rangefinder/VERSION"), \.userAgent, as: .text(limit: 256)),
            Key(section: "expect", \.self, ExpectKeys(context: context)),
            Key(section: "evidence", \.evidence, EvidenceKeys()),
        ]
    }

    private var connection: [Key<ProbePolicy>] {
        [
            Key("connection", default: "fresh", \.connection, as: .word),
            Key("http_version", default: "auto", \.httpVersion, as: .word),
            Key("follow_redirects", default: "5", \.followRedirects, as: .whole(0...20)),
            Key("max_body", default: "1MiB", \.maxBody, as: .size(1...(1 << 30))),
            Key("path_join", default: "resolve", \.pathJoin, as: .word),
            Key("ip", default: "any", \.addressFamily, as: .word),
            Key("dns_cache", default: "0s", \.dnsCache, as: .dnsCache),
            Key("dns_search", default: "false", \.dnsSearch, as: .truth),
            Key("ca_file", \.caFile, asNullable: context.certificateBundle),
            Key("client_certificate_file", "client_key_file", default: "null", \.clientCertificate, read: readClientCertificate),
            Key("proxy", \.proxy, asNullable: .proxy),
        ]
    }

    func check(_ section: Section, _ policy: inout ProbePolicy) {
        // Where nobody asked for a timeout, none is missed.
        if section.has("timeout"), policy.timeout > policy.interval {
            section.diagnostics.warning(
                "a timeout of \(durationText(policy.timeout)) is longer than the interval; "
                    + "\(durationText(policy.effectiveTimeout)) is used", at: section.location(of: "timeout"))
        }
        guard let secretRefusal else { return }
        let holdsSecret = [
            "headers": policy.headers.contains { $0.value.isSecret }, "body": policy.body?.isSecret ?? false,
            "client_key_file": policy.clientCertificate != nil,
        ]
        for key in ["headers", "body", "client_key_file"] where holdsSecret[key] == true && section.has(key) {
            section.diagnostics.error("a secret in '\(key)' \(secretRefusal)", at: section.location(of: key))
        }
    }

    private var method: ValueParser<String> {
        .text(limit: 32).checked { method in
            if let problem = methodProblem(method) { return problem }
            return method == method.uppercased() ? nil : "must be in capitals: \(shown(method.uppercased()))"
        }
    }

    private func readClientCertificate(_ section: inout Section, into policy: inout ProbePolicy) {
        let diagnostics = section.diagnostics
        let certificate = section.entry("client_certificate_file")
        let key = section.entry("client_key_file")
        switch (certificate.flatMap { $0.value.isNull ? nil : $0 }, key.flatMap { $0.value.isNull ? nil : $0 }) {
        case (let certificate?, let key?):
            let chain = context.certificateFile.read(certificate.value, diagnostics)
            let secret = context.privateKeyFile.read(key.value, diagnostics)
            guard context.surroundings.readsSecrets else { return }
            guard let chain, let secret else { return }
            policy.clientCertificate = ClientCertificate(chain: chain, key: secret)
            switch context.surroundings.pairProblem(chain, secret.reveal()) {
            case nil: break
            case .certificateUnreadable:
                diagnostics.error(
                    "\(certificate.value.label) names a file whose first certificate can't be read; write it as PEM again",
                    at: certificate.value.location)
            case .keyUnreadable:
                diagnostics.error(
                    "\(key.value.label) holds a key that can't be read; write it as PEM again", at: key.value.location)
            case .keyOfAnother:
                diagnostics.error(
                    "\(key.value.label) holds the key of another certificate; name the key that belongs to the first one in "
                        + "'client_certificate_file', or put that key's own certificate first there", at: key.value.location)
            case .refused(let words):
                diagnostics.error(
                    "\(certificate.value.label) names a certificate that OpenSSL shows to no server (\(words)); have one issued that it "
                        + "does, for a key of 2048 bits of RSA or more, or of P-256", at: certificate.value.location)
            }
        case (let certificate?, nil):
            diagnostics.error("'client_certificate_file' needs a 'client_key_file' beside it", at: certificate.location)
        case (nil, let key?):
            diagnostics.error("'client_key_file' needs a 'client_certificate_file' beside it", at: key.location)
        case (nil, nil):
            if certificate != nil || key != nil { policy.clientCertificate = nil }
        }
    }

    private static let credentials: Set<String> = ["authorization", "proxy-authorization", "cookie"]

    private var headers: ValueParser<[ProbePolicy.Header]> { ValueParser(readHeaders) }

    private func readHeaders(_ value: Value, _ diagnostics: Diagnostics) -> [ProbePolicy.Header]? {
        guard case .mapping(let entries) = value.content else {
            if value.isNull { return [] }
            diagnostics.error("\(value.label) must be a mapping of names to values, not \(value.shapeName)", at: value.location)
            return nil
        }
        var headers: [ProbePolicy.Header] = []
        for entry in entries.prefix(100) {
            let name = entry.name.lowercased()
            let isTwice = headers.contains { $0.name.lowercased() == name }
            let problem = headerNameProblem(entry.name) ?? (isTwice ? "is here twice" : nil)
            if let problem {
                diagnostics.error("\(shown(entry.name)) \(problem)", at: entry.location)
            } else if let text = context.policyText(limit: 8192, allowsLineBreaks: false).read(entry.value, diagnostics) {
                if !text.isSecret && Self.credentials.contains(name) {
                    diagnostics.warning(
                        "the value of \(shown(entry.name)) stands here for everyone to read; use {file: NAME} or {env: NAME}",
                        at: entry.location)
                }
                headers.append(ProbePolicy.Header(name: entry.name, value: text))
            }
        }
        if entries.count > 100 { diagnostics.error("\(value.label) holds more than 100 headers", at: value.location) }
        return headers
    }
}

/// The keys of `probe.evidence`.
struct EvidenceKeys: SectionKeys {
    var keys: [Key<ProbePolicy.EvidenceKept>] {
        [
            Key("body", default: "512B", \.bodyBytes, as: .size(0...Evidence.bodyMax)),
            Key("headers", default: "true", \.keepsHeaders, as: .truth),
        ]
    }
}

/// Headers that the transfer sets itself: another value would make a request that says one thing and is another.
private let framing: Set<String> = ["content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"]

/// What is wrong with the name of a method, as the end of a sentence; nil where nothing is.
package func methodProblem(_ method: String) -> String? {
    guard isToken(method) else { return "must be the name of a method, as in GET" }
    return method.uppercased() == "CONNECT" ? "can't be CONNECT: that asks a proxy, not a target" : nil
}

/// What is wrong with the name of a header, as the end of a sentence; nil where nothing is.
package func headerNameProblem(_ name: String) -> String? {
    guard isToken(name), name.utf8.count <= 256 else { return "is no name of a header" }
    return framing.contains(name.lowercased()) ? "is set by the transfer itself" : nil
}

/// A token of RFC 9110, section 5.6.2.
private func isToken(_ text: String) -> Bool {
    !text.isEmpty
        && text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (97...122).contains(byte | 0x20) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
}
