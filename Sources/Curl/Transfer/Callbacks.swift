internal import CCurl
internal import Glibc

// libcurl's callbacks as C functions. Each has the transfer as its context, which outlives the handle's time in the multi handle.

func receiveHeader(
    _ data: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let transfer = transfer(context) else { return -1 }
    return transfer.receiveHeader(UnsafeRawBufferPointer(start: data, count: size * count)) ? size * count : -1
}

func receiveBody(
    _ data: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let transfer = transfer(context) else { return -1 }
    return transfer.receiveBody(UnsafeRawBufferPointer(start: data, count: size * count)) ? size * count : -1
}

func progressMade(
    _ context: UnsafeMutableRawPointer?, _: curl_off_t, downloaded: curl_off_t, _: curl_off_t, _: curl_off_t
) -> Int32 {
    transfer(context)?.progress(downloaded: Int(downloaded)) == true ? 0 : 1
}

/// What libcurl sends, receives and says.
func traced(
    _: UnsafeMutableRawPointer?, _ kind: curl_infotype, _ data: UnsafeMutablePointer<CChar>?, _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let trace = transfer(context)?.request.trace, let what = TransferRequest.Traced(kind) else { return 0 }
    trace(what, Array(UnsafeRawBufferPointer(start: data, count: count)))
    return 0
}

func openSocket(
    _ context: UnsafeMutableRawPointer?, _: curlsocktype, _ target: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let target, let transfer = transfer(context) else { return -1 }
    return transfer.openSocket(target)
}

/// The connection stands, and the request is sent next.
func prepareRequest(
    _ context: UnsafeMutableRawPointer?, _: UnsafeMutablePointer<CChar>?, _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32
) -> Int32 {
    transfer(context)?.requestBegins()
    return CURL_PREREQFUNC_OK
}

func prepareHandshake(
    _: UnsafeMutableRawPointer?, _ sslContext: UnsafeMutableRawPointer?, _ context: UnsafeMutableRawPointer?
) -> CURLcode {
    guard let sslContext, let transfer = transfer(context), let observer = transfer.handshake else {
        return CURLE_SSL_CONNECT_ERROR
    }
    transfer.handshakeBegins()
    observer.begin()
    guard let bundle = transfer.bundle else {
        transfer.abort(.caFileUnreadable(path: transfer.bundlePath))
        return CURLE_SSL_CACERT_BADFILE
    }
    guard observer.watch(OpaquePointer(sslContext), trusting: bundle, refuses: transfer.request.verifiesCertificates) else {
        transfer.abort(.systemCall(ENOMEM))
        return CURLE_OUT_OF_MEMORY
    }
    return CURLE_OK
}

private func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer? {
    context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
}

/// `value` is -1 with an errno in `error`, or a descriptor that no child process inherits.
func newSocket(_ family: Int32, _ type: Int32, _ protocolNumber: Int32) -> (value: Int32, error: Int32) {
    let value = socket(family, type | Int32(SOCK_CLOEXEC.rawValue), protocolNumber)
    return (value, value < 0 ? errno : 0)
}
