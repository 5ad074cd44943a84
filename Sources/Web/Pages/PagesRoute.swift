import ConnectionLimits
import HTTPTypes
import Health
import Hummingbird
import HummingbirdCore
import NIOCore
package import Pages
import Synchronization

/// What the pages' routes ask the daemon for.
package struct PageSource: Sendable {
    /// Another number whenever a page may show something else, and at most once a second.
    package var version: @Sendable () async -> Int
    package var document: @Sendable (PageAddress, PageRequest) async -> PageAnswer
    /// A page that says why there is none; the sentence is safe to show.
    package var notice: @Sendable (_ title: String, _ sentence: String) async -> PageDocument?
    package var asset: @Sendable (_ path: String) -> Assets.File?

    package init(
        version: @escaping @Sendable () async -> Int,
        document: @escaping @Sendable (PageAddress, PageRequest) async -> PageAnswer,
        notice: @escaping @Sendable (_ title: String, _ sentence: String) async -> PageDocument?,
        asset: @escaping @Sendable (_ path: String) -> Assets.File?
    ) {
        (self.version, self.document, self.notice, self.asset) = (version, document, notice, asset)
    }
}

/// What came of asking for a page.
package enum PageAnswer: Sendable {
    case made(PageDocument)
    /// There is no such target or incident.
    case absent
    /// With a sentence that is safe to show.
    case failed(String)
}

/// `GET` of the pages, of their JSON twins and of their assets.
final class PagesRoute: Sendable {
    private static let atOnceLimit = 16
    private static let ofOnePeer = 4
    /// So many answers are remembered by what was asked: whoever asks again and has the same needs no page.
    private static let remembered = 1024

    private let source: PageSource
    private let isOpen: Bool
    private let takesAnyPeer: Bool
    private let places: Places
    private let tags = Mutex<[Int: (version: Int, tag: String)]>([:])

    init(_ source: PageSource, isOpen: Bool, takesAnyPeer: Bool) {
        (self.source, self.isOpen, self.takesAnyPeer) = (source, isOpen, takesAnyPeer)
        places = Places(limit: Self.atOnceLimit, ofOnePeer: Self.ofOnePeer)
    }

    /// What a path names; nil when it is none of ours.
    func wanted(_ uri: URI) -> Wanted? {
        if uri.path.hasPrefix("/assets/") { return .asset(uri.path) }
        return Asked(uri).map { .page($0) }
    }

    func answer(_ wanted: Wanted, to request: Request, from peer: Peer) async -> Response {
        switch wanted {
        case .asset(let path): return asset(path)
        case .page(let asked):
            guard admits(peer) else {
                return .text(
                    .forbidden,
                    "pages are for this machine, or for who has a name and a password (web_config_file); pages: open shows them to all"
                )
            }
            switch asked.address {
            case .failure(let mistake):
                return await refusal(.badRequest, "That is no page", mistake.sentence, asPage: !asked.request.isTwin)
            case .success(let address): return await answer(to: request, asked, address, peer)
            }
        }
    }

    /// For a person as a page that leads on, for a program as a line.
    func nothing(_ request: Request, from peer: Peer) async -> Response {
        let isPerson = request.headers[.accept]?.contains("text/html") ?? false
        guard isPerson, admits(peer) else { return .text(.notFound, "there is nothing here") }
        return await refusal(.notFound, "There is nothing here", "No page has this address.", asPage: true)
    }

    private func admits(_ peer: Peer) -> Bool {
        takesAnyPeer || Self.admits(isLoopback: peer.isLoopback, isAuthenticated: peer.isAuthenticated, isOpen: isOpen)
    }

    static func admits(isLoopback: Bool, isAuthenticated: Bool, isOpen: Bool) -> Bool { isLoopback || isAuthenticated || isOpen }

    private func answer(to request: Request, _ asked: Asked, _ address: PageAddress, _ peer: Peer) async -> Response {
        let version = await source.version()
        let wanted = request.headers[.ifNoneMatch]
        // What changes by itself, and not with results, is made anew.
        if !address.changesByItself, let wanted, let known = tag(of: asked.key, version), wanted == known {
            return .unchanged(known)
        }
        guard let place = places.take(for: peer.channel) else {
            var response = Response.text(.serviceUnavailable, "too many pages are being made at once; ask again")
            response.headers[.retryAfter] = "1"
            return response
        }
        defer { withExtendedLifetime(place) {} }
        let document: PageDocument
        switch await source.document(address, asked.request) {
        case .made(let made): document = made
        case .absent:
            return await refusal(
                .notFound, "It isn't there", "There is no such target or incident. Perhaps it was removed.",
                asPage: !asked.request.isTwin)
        case .failed(let sentence):
            return await refusal(.serviceUnavailable, "Not just now", sentence, asPage: !asked.request.isTwin)
        }
        let tag = "W/\"\(document.hash)\""
        remember(tag, of: asked.key, version)
        if wanted == tag { return .unchanged(tag) }
        var response = Response.page(document)
        response.headers[.eTag] = tag
        if let next = document.next, let link = HTTPField.Name("Link") { response.headers[link] = "<\(next)>; rel=\"next\"" }
        guard document.bytes.count > 1024, Negotiation.wantsGzip(acceptEncoding: request.headers[.acceptEncoding]),
            let packed = try? Gzip.packed(document.bytes)
        else { return response }
        response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: packed))
        response.headers[.contentEncoding] = "gzip"
        return response
    }

    /// For a person as a page that leads on, for a program as a line.
    private func refusal(_ status: HTTPResponse.Status, _ title: String, _ sentence: String, asPage: Bool) async -> Response {
        guard asPage, let document = await source.notice(title, sentence) else { return .text(status, sentence) }
        var response = Response.page(document)
        response.status = status
        return response
    }

    private func asset(_ path: String) -> Response {
        guard let file = source.asset(path) else { return .text(.notFound, "there is nothing here") }
        var response = Response.stream(file.contentType, ResponseBody(byteBuffer: ByteBuffer(bytes: file.bytes)))
        response.headers[.cacheControl] = "public, max-age=31536000, immutable"
        return response
    }

    private func tag(of key: Int, _ version: Int) -> String? {
        tags.withLock { tags in tags[key].flatMap { $0.version == version ? $0.tag : nil } }
    }

    private func remember(_ tag: String, of key: Int, _ version: Int) {
        tags.withLock { tags in
            if tags.count >= Self.remembered { tags.removeAll(keepingCapacity: true) }
            tags[key] = (version, tag)
        }
    }
}

extension PagesRoute {
    enum Wanted {
        case asset(String)
        case page(Asked)
    }
}

/// What was asked for, in the words of the pages.
struct Asked {
    let address: Result<PageAddress, PageAddress.Mistake>
    let request: PageRequest
    /// The same for the same page.
    var key: Int { request.hashValue }

    private static let refreshAllowed = 5...3600
    private static let queryMax = 2048

    /// nil of a path that is no page's.
    init?(_ uri: URI) {
        var path = uri.path
        let isTwin = path.hasSuffix(".json")
        if isTwin { path.removeLast(5) }
        let query = uri.query ?? ""
        guard query.utf8.count <= Self.queryMax, var fields = QueryFields.read(query) else {
            (address, request) = (.failure(.encoding), PageRequest(path: path, query: "", isTwin: isTwin, refreshSeconds: nil))
            return
        }
        let refresh = fields.last { $0.name == "refresh" }.flatMap { Int($0.value) }
        fields.removeAll { $0.name == "refresh" }
        let rest = query.split(separator: "&").filter { !$0.hasPrefix("refresh=") }.joined(separator: "&")
        request = PageRequest(
            path: path, query: rest, isTwin: isTwin,
            refreshSeconds: refresh.map { min(max($0, Self.refreshAllowed.lowerBound), Self.refreshAllowed.upperBound) })
        do throws(PageAddress.Mistake) {
            guard let found = try PageAddress(path: path, fields: fields) else { return nil }
            address = .success(found)
        } catch { address = .failure(error) }
    }
}

extension PageAddress.Mistake {
    fileprivate static let encoding = PageAddress.Mistake("the query is too long, or is not percent-encoded UTF-8")
}

extension Response {
    /// RFC 9110 section 15.4.5.
    fileprivate static func unchanged(_ tag: String) -> Response {
        var response = Response(status: .notModified)
        (response.headers[.eTag], response.headers[.cacheControl]) = (tag, "private, no-cache")
        return response
    }

    fileprivate static func page(_ document: PageDocument) -> Response {
        var response = Response.stream(document.contentType, ResponseBody(byteBuffer: ByteBuffer(bytes: document.bytes)))
        response.headers[.cacheControl] = "private, no-cache"
        response.headers[.vary] = "Accept-Encoding"
        response.headers[.contentSecurityPolicy] =
            "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
        return response
    }
}
