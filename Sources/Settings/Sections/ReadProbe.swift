import Health

extension ReadingContext {
    /// Reads the keys of a `probe` section over the policy that holds without them.
    ///
    /// `secretsMayGo` says whether the block's `match.url` confines a secret to a host that is written out.
    func readProbe(_ section: inout Section, into policy: inout ProbePolicy, secretsMayGo: Bool) {
        section.read("enabled", into: &policy.isEnabled, as: .truth)
        readRhythm(&section, into: &policy)
        readRequest(&section, into: &policy)
        section.section("expect") { readExpectations(&$0, into: &policy) }
        section.read("connection", into: &policy.connection, as: .word)
        section.read("http_version", into: &policy.httpVersion, as: .word)
        section.read("follow_redirects", into: &policy.followRedirects, as: .whole(0...20))
        section.read("max_body", into: &policy.maxBody, as: .size(1...(1 << 30)))
        section.read("path_join", into: &policy.pathJoin, as: .word)
        section.read("ip", into: &policy.addressFamily, as: .word)
        section.read("dns_cache", into: &policy.dnsCache, as: .duration(.zero ... .seconds(86_400)))
        section.read("dns_search", into: &policy.dnsSearch, as: .truth)
        section.read("ca_file", into: &policy.caFile, asNullable: certificateBundle)
        readClientCertificate(&section, into: &policy)
        section.read("proxy", into: &policy.proxy, asNullable: .proxy)
        guard !secretsMayGo else { return }
        let holdsSecret = [
            "headers": policy.headers.contains { $0.value.isSecret }, "body": policy.body?.isSecret ?? false,
            "client_key_file": policy.clientCertificate != nil,
        ]
        for key in ["headers", "body", "client_key_file"] where holdsSecret[key] == true && section.has(key) {
            diagnostics.error(
                "a secret in '\(key)' needs an override whose match.url is https with the last two labels of its host "
                    + "written out, as in https://*.example.com", at: section.location(of: key))
        }
    }

    private func readRhythm(_ section: inout Section, into policy: inout ProbePolicy) {
        let interval = ValueParser.duration(.milliseconds(100) ... .seconds(7 * 86_400))
        section.read("interval", into: &policy.interval, as: interval)
        section.read("fast_interval", into: &policy.fastInterval, as: interval)
        section.read("timeout", into: &policy.timeout, as: .duration(.milliseconds(1) ... .seconds(3600)))
        section.read("fall", into: &policy.fall, as: .whole(1...100))
        section.read("rise", into: &policy.rise, as: .whole(1...100))
        section.read("taint_after", into: &policy.taintAfter, as: .duration(.milliseconds(1) ... .seconds(3600)))
        let location = ["timeout", "interval"].first(where: section.has).map { section.location(of: $0) }
        if let location, policy.timeout > policy.interval {
            diagnostics.warning(
                "a timeout of \(durationText(policy.timeout)) is longer than the interval; "
                    + "\(durationText(policy.effectiveTimeout)) is used", at: location)
        }
    }

    private func readRequest(_ section: inout Section, into policy: inout ProbePolicy) {
        let method = ValueParser<String>.text(limit: 32).checked { method in
            guard isToken(method) else { return "must be the name of a method, as in GET" }
            if method.uppercased() == "CONNECT" { return "can't be CONNECT: that asks a proxy, not a target" }
            return method == method.uppercased() ? nil : "must be in capitals: \(shown(method.uppercased()))"
        }
        section.read("method", into: &policy.method, as: method)
        if let entry = section.entry("headers"), let headers = readHeaders(entry.value) { policy.headers = headers }
        section.read("body", into: &policy.body, asNullable: policyText(limit: 64 << 10, allowsLineBreaks: true))
        section.read("user_agent", into: &policy.userAgent, as: .text(limit: 256))
    }

    private func readClientCertificate(_ section: inout Section, into policy: inout ProbePolicy) {
        let certificate = section.entry("client_certificate_file")
        let key = section.entry("client_key_file")
        switch (certificate.flatMap { $0.value.isNull ? nil : $0 }, key.flatMap { $0.value.isNull ? nil : $0 }) {
        case (let certificate?, let key?):
            let chain = certificateFile.read(certificate.value, diagnostics)
            let secret = privateKeyFile.read(key.value, diagnostics)
            guard surroundings.readsSecrets else { return }
            guard let chain, let secret else { return }
            policy.clientCertificate = ClientCertificate(chain: chain, key: secret)
            switch surroundings.pairProblem(chain, secret.reveal()) {
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

    /// Headers that the transfer sets itself: another value would make a request that says one thing and is another.
    private static let framing: Set<String> = ["content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"]
    private static let credentials: Set<String> = ["authorization", "proxy-authorization", "cookie"]

    private func readHeaders(_ value: Value) -> [ProbePolicy.Header]? {
        guard case .mapping(let entries) = value.content else {
            if value.isNull { return [] }
            diagnostics.error("\(value.label) must be a mapping of names to values, not \(value.kindName)", at: value.location)
            return nil
        }
        var headers: [ProbePolicy.Header] = []
        for entry in entries.prefix(100) {
            let name = entry.name.lowercased()
            let problem: String? =
                if !isToken(entry.name) || name.utf8.count > 256 { "is no name of a header" } else if Self.framing.contains(name)
                {
                    "is set by the transfer itself"
                } else if headers.contains(where: { $0.name.lowercased() == name }) { "is here twice" } else { nil }
            if let problem {
                diagnostics.error("\(shown(entry.name)) \(problem)", at: entry.location)
            } else if let text = policyText(limit: 8192, allowsLineBreaks: false).read(entry.value, diagnostics) {
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

/// A token of RFC 9110, section 5.6.2.
private func isToken(_ text: String) -> Bool {
    !text.isEmpty
        && text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (97...122).contains(byte | 0x20) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
}
