internal import CCurl

/// What libcurl is told of one transfer: everything, every time, on a handle that remembers nothing.
struct TransferOptions {
    /// Small enough for ten thousand transfers at a time, large enough for a probe's page.
    static let bufferBytes = 4096

    private let transfer: Transfer
    private let request: TransferRequest
    private let address: SocketAddress
    private let userAgent: String?

    init(_ transfer: Transfer, _ address: SocketAddress, userAgent: String?) {
        self.transfer = transfer
        self.address = address
        request = transfer.request
        self.userAgent = request.userAgent ?? userAgent
    }

    /// Answers why it can't be sent.
    func apply(to handle: EasyHandle) -> TransferFailure? {
        var setter = Setter(easy: handle.pointer)
        setCallbacks(&setter, handle)
        setRules(&setter)
        setConnection(&setter, handle)
        setMethod(&setter)
        if let failure = setHeaders(&setter, handle) { return failure }
        // CURLOPT_URL is not read before the transfer begins; what else can fail here is memory.
        return setter.firstError == CURLE_OK ? nil : .libcurl(.localFault, setter.firstError)
    }

    private func setCallbacks(_ set: inout Setter, _ handle: EasyHandle) {
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        set.pointer(CURLOPT_PRIVATE, context)
        set.pointer(CURLOPT_ERRORBUFFER, handle.errorBuffer)
        set.pointer(CURLOPT_WRITEDATA, context)
        set.pointer(CURLOPT_HEADERDATA, context)
        set.pointer(CURLOPT_XFERINFODATA, context)
        set.pointer(CURLOPT_OPENSOCKETDATA, context)
        set.pointer(CURLOPT_PREREQDATA, context)
        set.check(rf_set_sink(set.easy, CURLOPT_WRITEFUNCTION, receiveBody))
        set.check(rf_set_sink(set.easy, CURLOPT_HEADERFUNCTION, receiveHeader))
        set.check(rf_set_progress_function(set.easy, progressMade))
        set.check(rf_set_opensocket_function(set.easy, openSocket))
        set.check(rf_set_prereq_function(set.easy, prepareRequest))
        if transfer.keepsConnection {
            set.pointer(CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(transfer.kept).toOpaque())
            set.check(rf_set_closesocket_function(set.easy, closeSocket))
        }
        set.long(CURLOPT_NOPROGRESS, 0)
        if request.trace != nil {
            set.pointer(CURLOPT_DEBUGDATA, context)
            set.check(rf_set_debug_function(set.easy, traced))
            set.long(CURLOPT_VERBOSE, 1)
        }
        if transfer.handshake != nil {
            set.pointer(CURLOPT_SSL_CTX_DATA, context)
            set.check(rf_set_ssl_ctx_function(set.easy, prepareHandshake))
        }
    }

    /// The same for all. Redirects, cookies, .netrc, HSTS and Alt-Svc are off unless asked for; the environment's proxy is not.
    private func setRules(_ set: inout Setter) {
        set.long(CURLOPT_NOSIGNAL, 1)
        set.long(CURLOPT_QUICK_EXIT, 1)
        setProxy(&set)
        set.literal(CURLOPT_PROTOCOLS_STR, "http,https")
        // BodyDecoding does it, in bounds. Without this libcurl would decode what comes as a transfer coding.
        set.long(CURLOPT_HTTP_CONTENT_DECODING, 0)
        set.long(CURLOPT_BUFFERSIZE, Self.bufferBytes)
        // The handshake is given its authorities by us. With a CA file, and Debian compiles one in, libcurl would parse that, too.
        set.string(CURLOPT_CAINFO, nil)
        // By this libcurl tells which kept connections a request may use. It takes it for a folder to look into, and never does.
        set.string(CURLOPT_CAPATH, transfer.keepsConnection ? transfer.bundlePath : nil)
        set.long(CURLOPT_CA_CACHE_TIMEOUT, 0)
        // All transfers have the same options of TLS: their connections share an SSL_CTX (docs/architecture.md, "Handshakes").
        // RFC 8996. OpenSSL would fail most older handshakes too, but over a signature, and would say nothing of the version.
        set.long(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        if !request.verifiesCertificates {
            set.long(CURLOPT_SSL_VERIFYPEER, 0)
            set.long(CURLOPT_SSL_VERIFYHOST, 0)
        }
        // A resumed session would show no certificate.
        set.long(CURLOPT_SSL_SESSIONID_CACHE, 0)
        set.long(CURLOPT_DNS_CACHE_TIMEOUT, 0)
    }

    /// The environment's proxies are never asked.
    private func setProxy(_ set: inout Setter) {
        guard let proxy = request.proxy, let address = transfer.proxyAddress else { return set.literal(CURLOPT_PROXY, "") }
        let authority = address.isIPv4 ? address.text : "[\(address.text)]"
        set.string(CURLOPT_PROXY, "http://\(authority):\(proxy.port)")
        set.long(CURLOPT_HTTPPROXYTUNNEL, 1)
        // Else the proxy's headers would be taken for the target's.
        set.long(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    }

    /// libcurl puts the certificate into the connection's SSL_CTX, which is therefore no shared one (``Transfer/showsCertificate``).
    private func setClientCertificate(_ set: inout Setter) {
        guard let certificate = request.clientCertificate, transfer.handshake != nil else { return }
        var (chain, key) = (certificate.chain, certificate.key)
        set.check(chain.withUTF8 { rf_set_blob(set.easy, CURLOPT_SSLCERT_BLOB, $0.baseAddress, $0.count) })
        set.check(key.withUTF8 { rf_set_blob(set.easy, CURLOPT_SSLKEY_BLOB, $0.baseAddress, $0.count) })
    }

    private func setConnection(_ set: inout Setter, _ handle: EasyHandle) {
        set.string(CURLOPT_URL, request.url.text)
        if let path = request.unixSocket { set.string(CURLOPT_UNIX_SOCKET_PATH, path) }
        let isLiteral = SocketAddress(request.url.host) != nil
        if !isLiteral {
            // Host header, SNI and certificate check keep the name, and a kept connection is reused only for this same address.
            let authority = address.isIPv4 ? address.text : "[\(address.text)]"
            set.list(CURLOPT_CONNECT_TO, handle.list(["::\(authority):"]))
        }
        // The loop ends a transfer at its deadline: libcurl would end it before it reads what has come in time. Of its own accord libcurl
        // gives TCP and TLS together five minutes.
        set.long(CURLOPT_CONNECTTIMEOUT_MS, Int(Int32.max))
        if !transfer.keepsConnection {
            set.long(CURLOPT_FRESH_CONNECT, 1)
            set.long(CURLOPT_FORBID_REUSE, 1)
        } else if transfer.times.isSecondTry {
            set.long(CURLOPT_FRESH_CONNECT, 1)
        }
        setClientCertificate(&set)
        let version: Int =
            switch request.httpVersion {
            case .http1: CURL_HTTP_VERSION_1_1
            case .http2 where request.url.scheme == "http": CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
            case .auto, .http2: CURL_HTTP_VERSION_2TLS
            }
        set.long(CURLOPT_HTTP_VERSION, version)
    }

    private func setMethod(_ set: inout Setter) {
        if request.method == "HEAD" { return set.long(CURLOPT_NOBODY, 1) }
        let isUpload = request.body != nil || ["POST", "PUT", "PATCH"].contains(request.method)
        if isUpload {
            let body = request.body ?? []
            set.long(CURLOPT_POST, 1)
            set.check(rf_set_offset(set.easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
            // libcurl takes a copy; no bytes at all would be read from CURLOPT_READFUNCTION instead.
            body.withUnsafeBytes { bytes in
                var none: UInt8 = 0
                withUnsafeMutableBytes(of: &none) { empty in
                    set.pointer(CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress) ?? empty.baseAddress)
                }
            }
        }
        if request.method != (isUpload ? "POST" : "GET") { set.string(CURLOPT_CUSTOMREQUEST, request.method) }
    }

    private func setHeaders(_ set: inout Setter, _ handle: EasyHandle) -> TransferFailure? {
        if let userAgent { set.string(CURLOPT_USERAGENT, userAgent) }
        var lines: [String] = []
        for (name, value) in request.headers where name.lowercased() != "proxy-authorization" {
            guard Self.isToken(name), Self.isText(value) else {
                return TransferFailure(.localFault, detail: "a header of the request has characters that no header may have")
            }
            lines.append(value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        if !request.headers.contains(where: { $0.name.lowercased() == "accept-encoding" }) {
            lines.append("Accept-Encoding: gzip, deflate")
        }
        if let failure = setProxyHeaders(&set, handle) { return failure }
        guard Self.isToken(request.method), Self.isText(userAgent ?? "") else {
            return TransferFailure(.localFault, detail: "the method or the user agent has characters that it may not have")
        }
        if request.method != "HEAD", request.body != nil || ["POST", "PUT", "PATCH"].contains(request.method) {
            lines.append("Expect:")
            if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) { lines.append("Content-Type:") }
        }
        let cookie = request.cookie.map { Array("Cookie: ".utf8) + $0 }
        guard cookie?.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) ?? true else {
            return TransferFailure(.localFault, detail: "a cookie of the request has characters that no header may have")
        }
        set.list(CURLOPT_HTTPHEADER, handle.list(lines, cookie))
        return nil
    }

    /// Credentials for the proxy go to the proxy and nowhere else: not even to the target when there is none.
    private func setProxyHeaders(_ set: inout Setter, _ handle: EasyHandle) -> TransferFailure? {
        guard request.proxy != nil,
            let value = request.headers.first(where: { $0.name.lowercased() == "proxy-authorization" })?.value
        else { return nil }
        guard Self.isText(value) else {
            return TransferFailure(.localFault, detail: "a header of the request has characters that no header may have")
        }
        set.list(CURLOPT_PROXYHEADER, handle.list(["Proxy-Authorization: \(value)"]))
        return nil
    }

    /// RFC 9110's token.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"\"(),/:;<=>?@[\\]{}".utf8.contains($0) }
    }

    private static func isText(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }
    }
}

/// Sets options and remembers the first error.
private struct Setter {
    let easy: UnsafeMutableRawPointer
    private(set) var firstError = CURLE_OK

    init(easy: UnsafeMutableRawPointer) { self.easy = easy }

    mutating func check(_ code: CURLcode) { if firstError == CURLE_OK { firstError = code } }
    mutating func long(_ option: CURLoption, _ value: Int) { check(rf_set_long(easy, option, value)) }
    mutating func string(_ option: CURLoption, _ value: String?) { check(rf_set_string(easy, option, value)) }
    /// A short String handed to C would cost an allocation.
    mutating func literal(_ option: CURLoption, _ value: StaticString) {
        check(rf_set_string(easy, option, UnsafeRawPointer(value.utf8Start).assumingMemoryBound(to: CChar.self)))
    }

    mutating func pointer(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) { check(rf_set_pointer(easy, option, value)) }

    mutating func list(_ option: CURLoption, _ list: UnsafeMutablePointer<curl_slist>?) {
        check(list == nil ? CURLE_OUT_OF_MEMORY : rf_set_list(easy, option, list))
    }
}
