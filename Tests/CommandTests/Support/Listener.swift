import Curl
import Testing

/// What a daemon's listener answered.
struct ListenerAnswer {
    var status: Int?
    /// As `Name: value`, a line each.
    var headers: String
    var body: String
}

/// Asks the listener of a daemon on this machine.
func get(
    _ port: Int, _ path: String, method: String = "GET", body: String? = nil, _ headers: [String: String] = [:]
) async throws -> ListenerAnswer {
    let engine = try TransferEngine()
    let url = try #require(URLParts("http://127.0.0.1:\(port)\(path)"))
    var request = TransferRequest(url: url, method: method)
    request.body = body.map { Array($0.utf8) }
    request.headers = headers.map { ($0.key, $0.value) }
    (request.keepBody, request.keepHeaders) = (1 << 20, true)
    let report = await engine.transfer(request)
    await engine.shutDown()
    let headers = report.headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
    return ListenerAnswer(status: report.status, headers: headers, body: String(decoding: report.body, as: UTF8.self))
}
