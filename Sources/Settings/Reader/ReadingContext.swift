import Health

/// What the readers of the sections share: where to report, and how to get at what the file names.
struct ReadingContext {
    let diagnostics: Diagnostics
    let surroundings: ProcessEnvironment
    /// A file that names nothing to watch is an error.
    let mustWatch: Bool
    /// The folder of the configuration file, with a slash at its end, or nothing for the current one.
    private let folder: String

    /// Bytes of a secret.
    private static let secretLimit = bareSecretLimit
    /// Bytes of a PEM bundle; Debian's has 220,000.
    private static let bundleLimit = 16 << 20

    init(diagnostics: Diagnostics, surroundings: ProcessEnvironment, configurationPath: String, mustWatch: Bool = false) {
        self.mustWatch = mustWatch
        self.diagnostics = diagnostics
        self.surroundings = surroundings
        folder = configurationPath.lastIndex(of: "/").map { String(configurationPath[...$0]) } ?? ""
    }

    /// A path of the file, seen from the current folder.
    func resolved(_ path: String) -> String { path.hasPrefix("/") ? path : folder + path }

    var path: ValueParser<String> { .text(limit: 4096).map(resolved) }

    /// A PEM bundle that can be read and holds a certificate.
    var certificateBundle: ValueParser<String> {
        path.checked { path in
            guard surroundings.readsSecrets else { return nil }
            return switch contents(of: path, limit: Self.bundleLimit) {
            case .failure(let problem): "names \(shown(path)), which can't be read: \(problem.sentence)"
            case .success(let bytes):
                String(decoding: bytes, as: UTF8.self).contains("-----BEGIN CERTIFICATE-----")
                    ? nil : "names \(shown(path)), which holds no PEM certificate"
            }
        }
    }

    /// A certificate to show, with those that it was issued under: the text of a PEM file.
    var certificateFile: ValueParser<String> {
        ValueParser { value, diagnostics in
            guard let path = path.read(value, diagnostics) else { return nil }
            guard surroundings.readsSecrets else { return "" }
            switch contents(of: path, limit: Self.secretLimit) {
            case .failure(let problem):
                diagnostics.error(
                    "\(value.label) names \(shown(path)), which can't be read: \(problem.sentence)", at: value.location)
            case .success(let bytes):
                let text = String(decoding: bytes, as: UTF8.self)
                if text.contains("-----BEGIN CERTIFICATE-----") { return text }
                diagnostics.error("\(value.label) names \(shown(path)), which holds no PEM certificate", at: value.location)
            }
            return nil
        }
    }

    /// The key of a certificate to show: a secret in PEM.
    var privateKeyFile: ValueParser<Secret> {
        let file = secretFile(allowsLineBreaks: true)
        return ValueParser { value, diagnostics in
            guard let secret = file.read(value, diagnostics), surroundings.readsSecrets else { return nil }
            let text = secret.reveal()
            let problem: String? =
                if text.contains("ENCRYPTED") {
                    "holds an encrypted key, and nobody is there to type its password; store it decrypted where only this user reads it"
                } else if !text.contains("PRIVATE KEY-----") { "holds no PEM private key" } else { nil }
            guard let problem else { return secret }
            diagnostics.error("\(value.label) \(problem)", at: value.location)
            return nil
        }
    }

    private func contents(of path: String, limit: Int) -> Result<[UInt8], FileProblem> {
        Result { () throws(FileProblem) in try surroundings.readFile(path, limit) }
    }

    /// The secret in a file. systemd's LoadCredential puts it into `$CREDENTIALS_DIRECTORY`, under a name without a slash.
    func secretFile(allowsLineBreaks: Bool = false) -> ValueParser<Secret> {
        ValueParser { value, diagnostics in
            guard let name = ValueParser<String>.text(limit: 4096).read(value, diagnostics) else { return nil }
            guard surroundings.readsSecrets else { return Secret("") }
            let credentials = surroundings.environment("CREDENTIALS_DIRECTORY").flatMap { $0.isEmpty ? nil : $0 }
            let path = if let credentials, !name.contains("/") { "\(credentials)/\(name)" } else { resolved(name) }
            switch secretContents(of: path, name, isCredential: credentials != nil) {
            case .failure(.tooLarge):
                diagnostics.error("\(value.label): \(shown(path)) is larger than a secret may be (64KiB)", at: value.location)
            case .failure(.notFound) where credentials != nil && !name.contains("/"):
                diagnostics.error(
                    "\(value.label): there is no credential \(shown(name)); put the secret into /etc/credstore/rangefinder.\(name), "
                        + "which a LoadCredential= of the unit has to name",
                    at: value.location)
            case .failure(.notFound):
                diagnostics.error(
                    "\(value.label): there is no file \(shown(path)); create it with nothing but the secret in it",
                    at: value.location)
            case .failure(let problem):
                diagnostics.error("\(value.label): \(shown(path)) can't be read: \(problem.sentence)", at: value.location)
            case .success(let bytes):
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    diagnostics.error("\(value.label): \(shown(path)) is not UTF-8 text", at: value.location)
                    return nil
                }
                if surroundings.othersMayRead(path) {
                    diagnostics.warning("\(value.label): \(readByOthers(path))", at: value.location)
                }
                return secret(text, in: shown(path), allowsLineBreaks, value)
            }
            return nil
        }
    }

    /// The service's own credential, where there is no such file: a command that root runs beside the service reads its configuration, too.
    private func secretContents(of path: String, _ name: String, isCredential: Bool) -> Result<[UInt8], FileProblem> {
        let found = contents(of: path, limit: Self.secretLimit)
        guard case .failure(.notFound) = found, !isCredential, !name.contains("/") else { return found }
        let stored = contents(of: "/etc/credstore/rangefinder.\(name)", limit: Self.secretLimit)
        if case .failure(.notFound) = stored { return found }
        return stored
    }

    /// The secret in an environment variable.
    func secretVariable(allowsLineBreaks: Bool = false) -> ValueParser<Secret> {
        ValueParser { value, diagnostics in
            guard let name = ValueParser<String>.text(limit: 256).read(value, diagnostics) else { return nil }
            guard surroundings.readsSecrets else { return Secret("") }
            guard let text = surroundings.environment(name) else {
                diagnostics.error(
                    "\(value.label): the environment variable \(shown(name)) is not set; set it", at: value.location)
                return nil
            }
            return secret(text, in: "the environment variable \(shown(name))", allowsLineBreaks, value)
        }
    }

    private func secret(_ text: String, in source: String, _ allowsLineBreaks: Bool, _ value: Value) -> Secret? {
        do throws(SecretProblem) {
            return try bareSecret(text, allowsLineBreaks: allowsLineBreaks)
        } catch {
            diagnostics.error("\(value.label): \(source) \(error.sentence)", at: value.location)
            return nil
        }
    }

    /// `NAME_file` or `NAME_env`: exactly one of them, or with `isOptional` none.
    func secret(_ name: String, in section: inout Section, isOptional: Bool = false) -> Secret? {
        let file = section.entry(name + "_file")
        let variable = section.entry(name + "_env")
        switch (file, variable) {
        case (let file?, nil): return secretFile().read(file.value, diagnostics)
        case (nil, let variable?): return secretVariable().read(variable.value, diagnostics)
        case (_?, let variable?):
            diagnostics.error("only one of '\(name)_file' and '\(name)_env' can be meant", at: variable.location)
        case (nil, nil) where !isOptional && !section.has(name):
            diagnostics.error("'\(name)_file' or '\(name)_env' is missing", at: section.location)
        case (nil, nil): break
        }
        return nil
    }

    /// The row of a secret: `NAME_file` or `NAME_env`.
    func secretKey<Owner>(_ name: String, _ property: WritableKeyPath<Owner, Secret?>, isOptional: Bool = false) -> Key<Owner> {
        Key(name + "_file", name + "_env", default: .words(isOptional ? "none" : "one of the two"), property) { section, owner in
            owner[keyPath: property] = secret(name, in: &section, isOptional: isOptional)
        }
    }

    /// A text, or `{file: NAME}` or `{env: NAME}`.
    func policyText(limit: Int, allowsLineBreaks: Bool) -> ValueParser<PolicyText> {
        ValueParser { value, diagnostics in
            if let text = value.text {
                if text.utf8.count > limit {
                    diagnostics.error("\(value.label) is longer than \(limit) bytes", at: value.location)
                } else if !allowsLineBreaks && holdsControlCharacter(text) {
                    diagnostics.error("\(value.label) holds a control character", at: value.location)
                } else {
                    return .plain(text)
                }
                return nil
            }
            guard case .mapping(let entries) = value.content, entries.count == 1, let entry = entries.first,
                ["file", "env"].contains(entry.name)
            else {
                diagnostics.error(
                    "\(value.label) must be a text, {file: NAME} or {env: NAME}, not \(value.kindName)", at: value.location)
                return nil
            }
            let kind =
                entry.name == "file"
                ? secretFile(allowsLineBreaks: allowsLineBreaks) : secretVariable(allowsLineBreaks: allowsLineBreaks)
            return kind.read(entry.value, diagnostics).map { .secret($0) }
        }
    }
}
