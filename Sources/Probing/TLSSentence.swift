import Curl
import Health

/// What a certificate or a handshake was refused for, and what to do about it.
enum TLSSentence {
    static func certificate(_ failure: TransferFailure, _ report: TransferReport, _ host: String, _ detail: String) -> String {
        guard let leaf = report.certificates.first else { return "\(host)'s certificate was refused\(detail)" }
        let refused = report.refusedCertificate ?? leaf
        let now = Timestamp(milliseconds: report.startedAtMilliseconds)
        switch failure.tlsFault {
        case .expired:
            let ago = refused.expiry.map { " \(Sentence.rough(now - $0)) ago" } ?? ""
            return "certificate expired\(ago) (\(Sentence.names(refused)))"
        case .notYetValid:
            let wait = refused.beginning.map { " for another \(Sentence.rough($0 - now))" } ?? " yet"
            return "certificate is not valid\(wait) (\(Sentence.names(refused))); check both clocks"
        case .nameMismatch: return mismatch(leaf, host)
        case let fault?:
            guard let words = words(fault) else { break }
            return "the certificate of \(host) \(words.what) (\(Sentence.names(refused))); \(words.advice)"
        case nil: break
        }
        return "the certificate of \(host) was refused (\(Sentence.names(refused)))\(detail)"
    }

    private static func mismatch(_ leaf: CertificateFacts, _ host: String) -> String {
        let all = leaf.names
        if all.contains(where: { $0.isHost && $0.text == host }) {
            return
                "the certificate has \(host) as the name of a host and not as an address, so it is not for the address \(host) "
                + "(\(Sentence.names(leaf))); issue it with IP:\(host)"
        }
        let others = all.prefix(4).map { displayText($0.text, limit: 80) }.joined(separator: ", ")
        let more = all.count > 4 ? " and others" : ""
        return
            "the certificate is not for \(host) but for \(others.isEmpty ? "no host" : others + more) (\(Sentence.names(leaf)))"
    }

    static func handshake(_ failure: TransferFailure, _ endpoint: String, _ detail: String, hasClientCertificate: Bool) -> String
    {
        let lead = "the TLS handshake with \(endpoint) failed"
        switch failure.tlsFault {
        case .clientCertificateMissing where hasClientCertificate:
            return "\(lead): it asks for a client certificate, and the configured one is not shown to another origin"
        case let fault?: return words(fault).map { "\(lead): it \($0.what); \($0.advice)" } ?? lead + detail
        case nil: return lead + detail
        }
    }

    /// `what` is said of the certificate, or of the server. nil for what is said with more than its words.
    static func words(_ fault: TLSFault) -> (what: String, advice: String)? {
        switch fault {
        case .expired, .notYetValid, .nameMismatch: nil
        case .clientCertificateMissing, .clientCertificateRefused: wordsOfClientCertificate(fault)
        case .alertHandshakeFailure, .alertProtocolVersion, .alertInsufficientSecurity, .alertUnrecognizedName,
            .alertNoApplicationProtocol, .alertUnexpectedMessage, .alertIllegalParameter, .alertDecodeError, .alertDecryptError,
            .alertInternalError, .alertOther, .alertAboutCertificate, .alertAccessDenied:
            wordsOfAlert(fault)
        case .notTLS, .versionTooOld, .legacyRenegotiation, .groupTooWeak, .algorithmNotOffered, .otherCertificateKind:
            wordsOfHandshake(fault)
        default: wordsOfChain(fault)
        }
    }

    private static func wordsOfChain(_ fault: TLSFault) -> (String, String)? {
        switch fault {
        case .unknownAuthority: ("is not signed by a known authority", "set ca_file if the authority is your own")
        case .unknownRoot:
            ("is not signed by a known authority: its chain ends in a root that is not known", "set ca_file if it is your own")
        case .selfSigned: ("is not signed by a known authority but by itself", "set ca_file if it is your own")
        case .intermediateMissing:
            (
                "is not signed by a known authority: its issuer is neither known nor sent",
                "have the server send the intermediate certificates, or set ca_file if the authority is your own"
            )
        case .timeUnreadable: ("has a first or last day that can't be read", "issue it anew")
        case .keyTooShort:
            (
                "has a key that is too short to be safe",
                "issue it with a key of at least 2048 bits (RSA) or 224 bits (elliptic curves)"
            )
        case .authorityKeyTooShort:
            ("is signed by an authority whose key is too short to be safe", "have another authority issue it")
        case .signatureTooWeak:
            ("has a signature that is too weak to be safe, such as one with SHA-1", "issue it anew with SHA-256")
        case .notForServers:
            ("is not meant for servers (extended key usage)", "issue it for serverAuth; one for clients only is no server's")
        case .authorityNotForServers:
            ("is signed by an authority that may not sign for servers (extended key usage)", "have another authority issue it")
        case .issuerIsNoAuthority:
            ("is signed by a certificate that is no authority's (basic constraints, key usage)", "have an authority issue it")
        case .pathTooLong:
            ("has more authorities above it than one of them allows (path length)", "have an authority issue it that may")
        case .chainTooLong: ("has a chain that is too long or goes round in a circle", "have the server send the right chain")
        case .nameNotPermitted:
            ("has a name for which an authority above it may not sign (name constraints)", "have an authority issue it that may")
        case .nameConstraintsUnreadable:
            ("has an authority whose name constraints can't be judged", "have another authority issue it")
        case .signatureWrong:
            (
                "has a signature that is wrong or can't be checked",
                "see whether the server sends the right intermediate certificates"
            )
        case .criticalExtensionUnknown: ("has a critical extension that OpenSSL doesn't know", "issue it without")
        case .extensionWrong: ("has an extension that is wrong or not allowed", "issue it anew")
        case .rejected: ("is rejected by the authorities of this machine", "see the bundle of authorities")
        default: nil
        }
    }

    private static func wordsOfClientCertificate(_ fault: TLSFault) -> (String, String)? {
        switch fault {
        case .clientCertificateMissing:
            (
                "asks for a client certificate and was shown none",
                "set client_certificate_file and client_key_file in an override with match.url"
            )
        case .clientCertificateRefused:
            (
                "did not accept the client certificate that it was shown",
                "see in its log why: expired, of another authority, or of nobody it knows"
            )
        default: nil
        }
    }

    private static func wordsOfAlert(_ fault: TLSFault) -> (String, String)? {
        switch fault {
        case .alertHandshakeFailure:
            (
                "refused it without saying why (alert handshake_failure)",
                "it may know no version from TLS 1.2 on, or none of the ciphers and curves that are offered to it "
                    + "(Diffie-Hellman over finite fields is not)"
            )
        case .alertProtocolVersion:
            ("speaks none of the protocol versions that are offered to it", "TLS 1.2 and 1.3 are; it needs one of them")
        case .alertInsufficientSecurity:
            ("wants stronger ciphers than are offered to it (alert insufficient_security)", "see its settings")
        case .alertUnrecognizedName:
            ("knows no host of this name (alert unrecognized_name)", "see the names that it is set up for")
        case .alertNoApplicationProtocol:
            ("speaks neither HTTP/2 nor HTTP/1.1 on this port (alert no_application_protocol)", "see which port is for HTTP")
        case .alertUnexpectedMessage:
            ("did not expect what it was sent (alert unexpected_message)", "see its log, and what stands between")
        case .alertIllegalParameter:
            ("refused a parameter of the handshake (alert illegal_parameter)", "see its log, and what stands between")
        case .alertDecodeError: ("could not read what it was sent (alert decode_error)", "see its log, and what stands between")
        case .alertDecryptError:
            ("could not decrypt or verify what it was sent (alert decrypt_error)", "see its log, and what stands between")
        case .alertInternalError: ("has trouble of its own (alert internal_error)", "see its log")
        case .alertAboutCertificate:
            ("refused a certificate (alert), though it asked for none of ours", "see its log, and what stands between")
        case .alertAccessDenied: ("refused access (alert access_denied)", "see whom it lets in")
        case .alertOther: ("ended it by an alert", "see its log")
        default: nil
        }
    }

    private static func wordsOfHandshake(_ fault: TLSFault) -> (String, String)? {
        switch fault {
        case .notTLS: ("did not answer with TLS", "it may be a port for plain HTTP: try http://")
        case .versionTooOld:
            ("speaks only protocol versions before TLS 1.2", "those are not safe any more (RFC 8996); it needs 1.2 or 1.3")
        case .legacyRenegotiation: ("does not know safe renegotiation (RFC 5746)", "it needs an update")
        case .groupTooWeak: ("chose a group or a curve that was not offered or is not safe", "it needs X25519 or P-256")
        case .algorithmNotOffered: ("chose a cipher or a signature that was not offered", "see its settings")
        case .otherCertificateKind:
            ("showed a certificate with a kind of key that can't be used", "issue it with an ECDSA or RSA key")
        default: nil
        }
    }
}
