internal import CCurl
internal import Glibc

/// Why a transfer got no complete answer.
package struct TransferFailure: Error, Hashable, Sendable {
    package enum Code: String, Hashable, Sendable, CaseIterable {
        case urlMalformed, unsupportedScheme
        case lookupFailed, lookupTimedOut
        /// The name as it stands has no address; with one of the resolver's search domains behind it, it has.
        case lookupNeedsSearch
        /// The name has addresses, none of the wanted family.
        case noAddress
        /// The egress rule forbids all of them.
        case addressDenied
        case connectRefused, connectTimedOut, networkUnreachable
        /// At any point after connecting, too.
        case connectReset
        /// Closed by the server without an answer.
        case connectionClosed
        /// The proxy can't be reached, or doesn't let us through; nothing is known of the target then.
        case proxyFailed
        case tlsFailed, tlsTimedOut
        case certificateExpired, certificateNotYetValid, certificateUntrusted, certificateNameMismatch
        /// The deadline passed after the connection stood.
        case timedOut
        case protocolError
        case bodyTooLarge
        case caFileUnreadable, clientCertificateUnusable
        /// Our own trouble: no descriptors, ports, memory or threads, every lookup thread taken, or a request that can't be sent.
        case localFault
        case cancelled, shutDown
    }

    package var code: Code
    /// libcurl's or the system's words, raw, at most 512 bytes; they can hold foreign text.
    package var detail: String
    /// The errno behind it, where there is one.
    package var systemError: Int32?
    /// What TLS had against it, where that is what ended it.
    package var tlsFault: TLSFault?

    package init(_ code: Code, detail: String = "", systemError: Int32? = nil, tlsFault: TLSFault? = nil) {
        self.code = code
        self.tlsFault = tlsFault
        // libcurl's words for it are "Couldn't connect to server".
        let detail = systemError == EMFILE ? outOfDescriptors() : detail
        self.detail = detail.utf8.count <= 512 ? detail : String(decoding: detail.utf8.prefix(512), as: UTF8.self)
        self.systemError = systemError
    }

    static func local(_ what: String, _ error: Int32) -> TransferFailure {
        TransferFailure(.localFault, detail: "\(what): \(systemErrorText(error))", systemError: error)
    }

    static func libcurl(_ code: Code, _ result: CURLcode) -> TransferFailure {
        TransferFailure(code, detail: curl_easy_strerror(result).map { String(cString: $0) } ?? "")
    }
}

/// Names the limit and what raises it.
private func outOfDescriptors() -> String {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return systemErrorText(EMFILE) }
    return "all \(limit.rlim_cur) file descriptors that this process may have are open; raise the limit (ulimit -n, LimitNOFILE)"
}

/// The system's words for an errno.
func systemErrorText(_ error: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    let text: String? = buffer.withUnsafeMutableBufferPointer { space in
        guard let base = space.baseAddress, strerror_r(error, base, space.count) == 0 else { return nil }
        return String(cString: base)
    }
    return text ?? "error \(error)"
}
