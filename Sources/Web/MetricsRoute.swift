import ConnectionLimits
import Exposition
import HTTPTypes
import Health
import Hummingbird
import HummingbirdCore
import NIOCore

/// `GET /metrics`: which series, in which format, compressed or not, sent as fast as the client takes it and no faster.
final class MetricsRoute: Sendable {
    /// Each holds a copy of the values; past this a client is asked to come back.
    static let pagesAtOnceLimit = 16
    private static let ofOnePeer = 4
    /// A client that takes longer for a page is cut off. Prometheus gives up after its `scrape_timeout` anyway.
    static let pageTimeLimit = TimeAmount.seconds(60)

    private let page: @Sendable (MetricsFormat, MetricsSelection) -> MetricsPage
    private let places = Places(limit: pagesAtOnceLimit, ofOnePeer: ofOnePeer)

    init(page: @escaping @Sendable (MetricsFormat, MetricsSelection) -> MetricsPage) { self.page = page }

    func answer(to request: Request, over channel: any Channel) throws -> Response {
        let selection: MetricsSelection
        do {
            selection = try SelectionQuery.read(request.uri.query ?? "")
        } catch {
            return .text(.badRequest, error.sentence)
        }
        let format = Negotiation.format(accept: request.headers[.accept])
        let isCompressed = Negotiation.wantsGzip(acceptEncoding: request.headers[.acceptEncoding])
        // Nothing is sent for HEAD, so nothing is begun for it.
        let body = request.method == .head ? ResponseBody() : self.body(format, selection, isCompressed, over: channel)
        guard let body else { return .text(.serviceUnavailable, "too many pages of metrics are being read at once") }
        var response = Response.stream(format.contentType, body)
        if isCompressed { response.headers[.contentEncoding] = "gzip" }
        response.headers[.vary] = "Accept, Accept-Encoding"
        return response
    }

    private func body(
        _ format: MetricsFormat, _ selection: MetricsSelection, _ isCompressed: Bool, over channel: any Channel
    ) -> ResponseBody? {
        guard let place = places.take(for: channel) else { return nil }
        let page = page(format, selection)
        return ResponseBody { writer in
            defer { withExtendedLifetime(place) {} }
            // Closing ends a write that waits for a client that doesn't read.
            let limit = channel.eventLoop.scheduleTask(in: Self.pageTimeLimit) { channel.close(promise: nil) }
            defer { limit.cancel() }
            let gzip = isCompressed ? try Gzip() : nil
            for chunk in page {
                let bytes = try gzip?.compress(chunk) ?? chunk
                if bytes.isEmpty { continue }
                try await writer.write(ByteBuffer(bytes: bytes))
                try await untilSent(over: channel)
            }
            if let gzip { try await writer.write(ByteBuffer(bytes: gzip.finish())) }
            try await writer.finish(nil)
        }
    }
}

/// Reads `client_id=…&region=…&shard=i/n`.
enum SelectionQuery {
    enum Mistake: Error {
        case unknown(String)
        case repeated(String)
        case encoding(String)
        case shard(String)

        /// Safe to show.
        var sentence: String {
            switch self {
            case .unknown(let key): "unknown parameter \(displayText(key)); there are client_id, region and shard"
            case .repeated(let key): "parameter \(displayText(key)) is given more than once"
            case .encoding(let key): "the value of \(displayText(key)) is not percent-encoded UTF-8"
            case .shard(let text):
                "shard=\(displayText(text)) is not i/n with 1 ≤ i ≤ n ≤ \(MetricsSelection.shardCountLimit), as in shard=2/5"
            }
        }
    }

    static func read(_ query: String) throws(Mistake) -> MetricsSelection {
        var selection = MetricsSelection()
        var seen: Set<String> = []
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = String(parts[0])
            guard ["client_id", "region", "shard"].contains(key) else { throw .unknown(key) }
            guard seen.insert(key).inserted else { throw .repeated(key) }
            guard let value = QueryFields.decoded(parts.count == 2 ? parts[1] : "") else { throw .encoding(key) }
            switch key {
            case "client_id": selection.clientID = value
            case "region": selection.region = value
            default:
                guard let shard = Shard(value, countLimit: MetricsSelection.shardCountLimit) else { throw .shard(value) }
                selection.shard = shard
            }
        }
        return selection
    }
}
