import Testing

@testable import Curl

/// A request that ends soon whatever happens.
func request(_ text: String, timeout: Duration = .seconds(20), _ change: (inout TransferRequest) -> Void = { _ in }) throws
    -> TransferRequest
{
    var request = TransferRequest(url: try #require(URLParts(text)), timeout: timeout)
    request.maxBody = 1 << 20
    request.keepBody = 4096
    change(&request)
    return request
}

extension TransferReport {
    var text: String { String(decoding: body, as: UTF8.self) }
    var code: TransferFailure.Code? { failure?.code }
}

func address(_ text: String) throws -> SocketAddress { try #require(SocketAddress(text)) }
