package import Health

/// TLS and basic authentication of the listener, in the format of Prometheus' exporter-toolkit ("web configuration",
/// https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md), which operators know from node_exporter.
package struct WebConfiguration: Hashable, Sendable {
    package struct TLS: Hashable, Sendable {
        /// PEM, the listener's own certificate first.
        package var certificateChain: String
        /// PEM.
        package var privateKey: Secret
        package var clients: ClientCertificates = .none
        /// PEM: who may issue clients' certificates; nil for the system's.
        package var clientAuthorities: String?
        package var least: TLSVersion = .tls12
        package var most: TLSVersion = .tls13
        /// For TLS 1.2; empty for the library's choice.
        package var cipherSuites: [CipherSuite] = []
        package var curves: [Curve] = []
    }

    package enum ClientCertificates: String, Hashable, Sendable, CaseIterable {
        case none = "NoClientCert"
        case verifyIfGiven = "VerifyClientCertIfGiven"
        case requireAndVerify = "RequireAndVerifyClientCert"
    }

    package enum TLSVersion: String, Hashable, Sendable, CaseIterable {
        case tls12 = "TLS12"
        case tls13 = "TLS13"
    }

    /// Those of TLS 1.2 that are forward secret and authenticated (RFC 9325, section 4.2).
    package enum CipherSuite: String, Hashable, Sendable, CaseIterable {
        case ecdsaAES128 = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
        case rsaAES128 = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        case ecdsaAES256 = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
        case rsaAES256 = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
        case ecdsaChaCha = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
        case rsaChaCha = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"

        /// IANA's, of the registry of TLS cipher suites.
        package var number: UInt16 {
            switch self {
            case .ecdsaAES128: 0xC02B
            case .ecdsaAES256: 0xC02C
            case .rsaAES128: 0xC02F
            case .rsaAES256: 0xC030
            case .rsaChaCha: 0xCCA8
            case .ecdsaChaCha: 0xCCA9
            }
        }
    }

    package enum Curve: String, Hashable, Sendable, CaseIterable {
        case x25519 = "X25519"
        case p256 = "CurveP256"
        case p384 = "CurveP384"
        case p521 = "CurveP521"

        /// IANA's, of the registry of TLS supported groups.
        package var number: UInt16 {
            switch self {
            case .p256: 23
            case .p384: 24
            case .p521: 25
            case .x25519: 29
            }
        }
    }

    /// nil: HTTP without TLS.
    package var tls: TLS?
    /// Sent with every answer.
    package var headers: [String: String] = [:]
    /// Names and bcrypt hashes; empty: nobody is asked.
    package var users: [String: String] = [:]

    package init() {}
}

extension WebConfiguration {
    /// What reading one came to.
    package struct Reading: Sendable {
        /// Nil when one of the diagnostics is an error.
        package var configuration: WebConfiguration?
        package var diagnostics: [Diagnostic]
    }

    /// Reads a file and those that it names. Everything that is wrong is in the answer at once.
    package static func load(path: String, surroundings: ProcessEnvironment = .system()) -> Reading {
        let diagnostics = Diagnostics()
        var configuration: WebConfiguration?
        do throws(FileProblem) {
            let bytes = try surroundings.readFile(path, Settings.fileLimit)
            if let document = Document.read(bytes, diagnostics: diagnostics) {
                let context = ReadingContext(diagnostics: diagnostics, surroundings: surroundings, configurationPath: path)
                configuration = context.readWebConfiguration(document)
            }
        } catch {
            diagnostics.error("the file can't be read: \(error.sentence)", at: .start)
        }
        return Reading(configuration: diagnostics.hasErrors ? nil : configuration, diagnostics: diagnostics.sorted)
    }
}
