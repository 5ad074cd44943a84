internal import CCurl

/// What TLS had against a transfer that failed, where the handshake showed more than libcurl's code says.
struct TLSReading: Hashable {
    /// X509_V_OK, or what OpenSSL said of the chain; `verifyDepth` is how far from the leaf.
    var verifyError: Int32 = X509_V_OK
    var verifyDepth: Int32 = 0
    /// The alert that came, if it was one that ends a connection.
    var alert: UInt8?
    /// The server asked for a certificate of ours.
    var isCertificateWanted = false
    /// It would be shown one.
    var isCertificateShown = false
    /// The connection is new, and nothing was answered on it yet. Else the handshake is long over, and ended nothing.
    var mayHaveEndedIt = false

    /// With what the handshake showed, where that says more than libcurl's code; otherwise `failure` as it is.
    ///
    /// - Parameters:
    ///   - failure: what the code and the errno amount to.
    ///   - words: libcurl's.
    func explained(_ failure: TransferFailure, _ words: LibcurlWords) -> TransferFailure {
        var failure = failure
        switch failure.code {
        // libcurl looks at the first error in OpenSSL's queue alone: of a wrong signature that is not the verdict on the chain, and an alert
        // that a certificate has expired, which can only mean ours, is one to it.
        case .tlsFailed where verifyError != X509_V_OK: return chainRefused(failure)
        case .certificateUntrusted, .certificateExpired, .certificateNotYetValid, .certificateNameMismatch:
            if verifyError != X509_V_OK || alert == nil { return chainRefused(failure) }
            failure.code = .tlsFailed
        // TLS 1.3 tells of a certificate that is missing or refused only after the handshake. The reset that follows can overtake the alert,
        // so that a server which asked for one and hung up at once counts as well.
        case .tlsFailed, .connectReset, .connectionClosed, .protocolError: break
        default: return failure
        }
        guard mayHaveEndedIt, let fault = handshakeFault(failure, words) else { return failure }
        (failure.code, failure.tlsFault, failure.systemError) = (.tlsFailed, fault, nil)
        return failure
    }

    /// OpenSSL's words for its verdict; nil where it took the chain.
    var verifyWords: String? {
        guard verifyError != X509_V_OK else { return nil }
        return X509_verify_cert_error_string(Int(verifyError)).map { String(cString: $0) } ?? ""
    }

    private func chainRefused(_ failure: TransferFailure) -> TransferFailure {
        var failure = failure
        failure.code = FailureReading.certificateCode(verifyError)
        // What libcurl refuses in a chain that OpenSSL took is the name.
        failure.tlsFault =
            verifyError == X509_V_OK ? .nameMismatch : TLSFault(verification: verifyError, depth: verifyDepth)
        if failure.tlsFault == nil { failure.detail = verifyWords ?? "" }
        return failure
    }

    private func handshakeFault(_ failure: TransferFailure, _ words: LibcurlWords) -> TLSFault? {
        if let alert {
            return TLSFault(
                alert: alert, isCertificateWanted: isCertificateWanted, isCertificateShown: isCertificateShown)
        }
        if failure.code == .tlsFailed { return words.openSSLError.flatMap { TLSFault(handshake: $0) } }
        guard isCertificateWanted, failure.code != .protocolError else { return nil }
        return isCertificateShown ? .clientCertificateRefused : .clientCertificateMissing
    }
}
