internal import CCurl

/// What was wrong with a certificate or a handshake: one case for each thing that a person would mend in another way.
package enum TLSFault: Hashable, Sendable, CaseIterable {
    // The chain was refused.
    case unknownAuthority, selfSigned, unknownRoot, intermediateMissing
    case expired, notYetValid, timeUnreadable
    case nameMismatch
    case keyTooShort, authorityKeyTooShort, signatureTooWeak
    case notForServers, authorityNotForServers
    case issuerIsNoAuthority, pathTooLong, chainTooLong
    case nameNotPermitted, nameConstraintsUnreadable
    case signatureWrong, criticalExtensionUnknown, extensionWrong, rejected

    // It asked for a certificate of ours.
    case clientCertificateMissing, clientCertificateRefused

    // The server sent an alert (RFC 8446 section 6).
    case alertHandshakeFailure, alertProtocolVersion, alertInsufficientSecurity, alertUnrecognizedName, alertNoApplicationProtocol
    case alertUnexpectedMessage, alertIllegalParameter, alertDecodeError, alertDecryptError, alertInternalError, alertOther
    case alertAboutCertificate, alertAccessDenied

    // We can't go on with what came.
    case notTLS, versionTooOld, legacyRenegotiation, groupTooWeak, algorithmNotOffered, otherCertificateKind
}

extension TLSFault {
    /// By OpenSSL's verdict on a chain (x509_vfy.h); nil for those that no server can bring about here: no list of revoked
    /// certificates is read, and no policy is asked for. `depth` is how far from the server's own certificate it was.
    init?(verification error: Int32, depth: Int32) {
        switch error {
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
        case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
        case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD: self = .timeUnreadable
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: self = .nameMismatch
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: self = .selfSigned
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: self = .unknownRoot
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: self = .intermediateMissing
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY: self = depth == 0 ? .intermediateMissing : .unknownAuthority
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_CERT_UNTRUSTED, X509_V_ERR_SUBJECT_ISSUER_MISMATCH,
            X509_V_ERR_AKID_SKID_MISMATCH, X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH:
            self = .unknownAuthority
        case X509_V_ERR_EE_KEY_TOO_SMALL: self = .keyTooShort
        case X509_V_ERR_CA_KEY_TOO_SMALL: self = .authorityKeyTooShort
        case X509_V_ERR_CA_MD_TOO_WEAK: self = .signatureTooWeak
        case X509_V_ERR_INVALID_PURPOSE: self = depth == 0 ? .notForServers : .authorityNotForServers
        case X509_V_ERR_INVALID_CA, X509_V_ERR_INVALID_NON_CA, X509_V_ERR_KEYUSAGE_NO_CERTSIGN, X509_V_ERR_NO_ISSUER_PUBLIC_KEY:
            self = .issuerIsNoAuthority
        case X509_V_ERR_PATH_LENGTH_EXCEEDED, X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED: self = .pathTooLong
        case X509_V_ERR_CERT_CHAIN_TOO_LONG, X509_V_ERR_PATH_LOOP: self = .chainTooLong
        case X509_V_ERR_PERMITTED_VIOLATION, X509_V_ERR_EXCLUDED_VIOLATION: self = .nameNotPermitted
        case X509_V_ERR_SUBTREE_MINMAX, X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX,
            X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
            self = .nameConstraintsUnreadable
        case X509_V_ERR_CERT_SIGNATURE_FAILURE, X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE,
            X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH,
            X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM:
            self = .signatureWrong
        case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION: self = .criticalExtensionUnknown
        case X509_V_ERR_INVALID_EXTENSION, X509_V_ERR_INVALID_POLICY_EXTENSION, X509_V_ERR_UNSUPPORTED_EXTENSION_FEATURE,
            X509_V_ERR_UNNESTED_RESOURCE, X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED, X509_V_ERR_EC_KEY_EXPLICIT_PARAMS:
            self = .extensionWrong
        case X509_V_ERR_CERT_REJECTED: self = .rejected
        default: return nil
        }
    }

    /// By the number of an alert that the server sent.
    ///
    /// - Parameter isCertificateWanted: it asked for a certificate of ours; `isCertificateShown`: and was shown one.
    init(alert: UInt8, isCertificateWanted: Bool, isCertificateShown: Bool) {
        let isAboutCertificate = [
            SSL3_AD_BAD_CERTIFICATE, SSL3_AD_UNSUPPORTED_CERTIFICATE, SSL3_AD_CERTIFICATE_REVOKED, SSL3_AD_CERTIFICATE_EXPIRED,
            SSL3_AD_CERTIFICATE_UNKNOWN, TLS1_AD_UNKNOWN_CA,
        ].contains(Int32(alert))
        let mayBeAboutOurs = isAboutCertificate || [SSL3_AD_HANDSHAKE_FAILURE, TLS1_AD_ACCESS_DENIED].contains(Int32(alert))
        switch Int32(alert) {
        case TLS13_AD_CERTIFICATE_REQUIRED: self = .clientCertificateMissing
        case _ where mayBeAboutOurs && isCertificateWanted:
            self = isCertificateShown ? .clientCertificateRefused : .clientCertificateMissing
        case _ where isAboutCertificate: self = .alertAboutCertificate
        case TLS1_AD_ACCESS_DENIED: self = .alertAccessDenied
        case SSL3_AD_HANDSHAKE_FAILURE: self = .alertHandshakeFailure
        case TLS1_AD_PROTOCOL_VERSION: self = .alertProtocolVersion
        case TLS1_AD_INSUFFICIENT_SECURITY: self = .alertInsufficientSecurity
        case TLS1_AD_UNRECOGNIZED_NAME: self = .alertUnrecognizedName
        case TLS1_AD_NO_APPLICATION_PROTOCOL: self = .alertNoApplicationProtocol
        case SSL3_AD_UNEXPECTED_MESSAGE: self = .alertUnexpectedMessage
        case SSL3_AD_ILLEGAL_PARAMETER: self = .alertIllegalParameter
        case TLS1_AD_DECODE_ERROR: self = .alertDecodeError
        case TLS1_AD_DECRYPT_ERROR, SSL3_AD_BAD_RECORD_MAC: self = .alertDecryptError
        case TLS1_AD_INTERNAL_ERROR: self = .alertInternalError
        default: self = .alertOther
        }
    }

    /// By OpenSSL's reason for giving up a handshake itself (sslerr.h); nil for one that says enough in OpenSSL's own words.
    init?(handshake error: OpenSSLError) {
        guard error.library == ERR_LIB_SSL else { return nil }
        switch error.reason {
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_UNKNOWN_PROTOCOL, SSL_R_PACKET_LENGTH_TOO_LONG: self = .notTLS
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_UNSUPPORTED_SSL_VERSION, SSL_R_VERSION_TOO_LOW, SSL_R_BAD_PROTOCOL_VERSION_NUMBER:
            self = .versionTooOld
        case SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED: self = .legacyRenegotiation
        case SSL_R_DH_KEY_TOO_SMALL, SSL_R_WRONG_CURVE, SSL_R_BAD_ECPOINT, SSL_R_UNSUPPORTED_ELLIPTIC_CURVE: self = .groupTooWeak
        case SSL_R_WRONG_CIPHER_RETURNED, SSL_R_UNKNOWN_CIPHER_RETURNED, SSL_R_WRONG_SIGNATURE_TYPE, SSL_R_WRONG_SIGNATURE_SIZE,
            SSL_R_UNKNOWN_DIGEST, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
            self = .algorithmNotOffered
        case SSL_R_WRONG_CERTIFICATE_TYPE, SSL_R_UNKNOWN_CERTIFICATE_TYPE, SSL_R_UNABLE_TO_FIND_PUBLIC_KEY_PARAMETERS,
            SSL_R_BAD_ECC_CERT:
            self = .otherCertificateKind
        case SSL_R_EE_KEY_TOO_SMALL: self = .keyTooShort
        case SSL_R_CA_KEY_TOO_SMALL: self = .authorityKeyTooShort
        case SSL_R_CA_MD_TOO_WEAK: self = .signatureTooWeak
        default: return nil
        }
    }
}
