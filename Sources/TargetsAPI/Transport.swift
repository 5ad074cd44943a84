package import Health

/// One request to the API, relative to its base URL.
package struct APIRequest: Hashable, Sendable {
    package enum Method: String, Sendable { case get = "GET", post = "POST", put = "PUT", delete = "DELETE" }

    package struct Header: Hashable, Sendable {
        package let name: String
        package let value: PolicyText
    }

    package let method: Method
    /// Percent-encoded, beginning with `/`; to be put behind the base URL.
    package let path: String
    package let headers: [Header]
    package let body: [UInt8]?
    /// The longest body of an answer, in bytes. A longer one has to be refused while it streams in.
    package let maxBody: Int
    package let timeout: Duration
}

package struct APIResponse: Hashable, Sendable {
    package let status: Int
    package let contentType: String?
    package let tag: String?
    package let body: [UInt8]
    /// The names of the body's codings when ``body`` isn't the body, because it can't be decoded.
    package var undecoded: String?
    /// How long the API wants to be left alone.
    package var retryAfter: Duration?
    /// Where the list goes on: a path as ``APIRequest/path``, with its query.
    package var next: String?

    /// - Parameter tag: of the header ETag.
    package init(status: Int, contentType: String?, tag: String? = nil, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.tag = tag
        self.body = body
    }
}

/// Why there is no answer at all.
package struct TransportError: Error, Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// Nothing was sent.
        case dns, connect, tls, unusable
        /// What was sent may have been done.
        case timeout, tooLarge, cancelled, other
    }

    package let kind: Kind
    /// For people: foreign text is welcome, the client makes it safe.
    package let detail: String

    package init(_ kind: Kind, detail: String) {
        self.kind = kind
        self.detail = detail
    }
}

/// Carries a request to the API and its answer back, within the request's bounds. Redirects are answers: the token must not follow
/// them.
package typealias APITransport = @Sendable (APIRequest) async throws(TransportError) -> APIResponse
