internal import CCurl

/// What TLS had against a transfer that failed.
extension Transfer {
    /// With what the handshake showed, where that says more than libcurl's code; otherwise `failure` as it is.
    ///
    /// - Parameters:
    ///   - failure: what the code and the errno amount to.
    ///   - words: libcurl's.
    func explained(_ failure: TransferFailure, _ words: String) -> TransferFailure {
        guard let witness else { return failure }
        var failure = failure
        switch failure.code {
        // libcurl looks at the first error in OpenSSL's queue alone: of a wrong signature that is not the verdict on the chain, and an alert
        // that a certificate has expired, which can only mean ours, is one to it.
        case .tlsFailed where witness.verifyError != X509_V_OK: return chainRefused(failure, witness)
        case .certificateUntrusted, .certificateExpired, .certificateNotYetValid, .certificateNameMismatch:
            if witness.verifyError != X509_V_OK || witness.alert == nil { return chainRefused(failure, witness) }
            failure.code = .tlsFailed
        // TLS 1.3 tells of a certificate that is missing or refused only after the handshake. The reset that follows can overtake the alert,
        // so that a server which asked for one and hung up at once counts as well.
        case .tlsFailed, .connectReset, .connectionClosed, .protocolError: break
        default: return failure
        }
        guard openedSocket, headerBytes == 0, !isOverrun, let fault = handshakeFault(witness, failure, words) else {
            return failure
        }
        (failure.code, failure.tlsFault, failure.systemError) = (.tlsFailed, fault, nil)
        return failure
    }

    private func chainRefused(_ failure: TransferFailure, _ witness: HandshakeObserver) -> TransferFailure {
        var failure = failure
        failure.code = FailureReading.certificateCode(witness.verifyError)
        // What libcurl refuses in a chain that OpenSSL took is the name.
        failure.tlsFault =
            witness.verifyError == X509_V_OK
            ? .nameMismatch : TLSFault(verification: witness.verifyError, depth: witness.verifyDepth)
        if failure.tlsFault == nil {
            failure.detail = X509_verify_cert_error_string(Int(witness.verifyError)).map { String(cString: $0) } ?? ""
        }
        return failure
    }

    private func handshakeFault(_ witness: HandshakeObserver, _ failure: TransferFailure, _ words: String) -> TLSFault? {
        let isShown = request.clientCertificate != nil
        if let alert = witness.alert {
            return TLSFault(alert: alert, isCertificateWanted: witness.wantsCertificate, isCertificateShown: isShown)
        }
        if failure.code == .tlsFailed { return TLSFault(quoted: words) }
        guard witness.wantsCertificate, failure.code != .protocolError else { return nil }
        return isShown ? .clientCertificateRefused : .clientCertificateMissing
    }
}
