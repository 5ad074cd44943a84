package import Health

/// One request to an Alertmanager, a webhook or a heartbeat.
package struct AlertRequest: Sendable {
    package var url: PolicyText
    package var method = "POST"
    package var headers: [(name: String, value: String)] = []
    package var body: [UInt8]?
    package var timeout: Duration = .seconds(10)

    package init(
        url: PolicyText, method: String = "POST", headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        timeout: Duration = .seconds(10)
    ) {
        (self.url, self.method, self.headers, self.body, self.timeout) = (url, method, headers, body, timeout)
    }
}

/// What became of a request. A sentence that says why it was not taken holds no part of the URL, which may be a secret.
package enum AlertAnswer: Hashable, Sendable {
    case taken
    /// Another time it may be: there was no answer, or one that says so. `after` is the receiver's own word for when.
    case later(String, after: Duration? = nil)
    /// An answer that is likely to stay: the receiver doesn't want this request.
    case refused(String)

    /// What a status says, whatever became of the answer's body: who has answered 2xx has the message.
    ///
    /// - Parameter retryAfter: asked only where the answer is to be tried again.
    package init(status: Int, retryAfter: @autoclosure () -> Duration?) {
        let sentence = "it answered HTTP \(status)"
        switch status {
        case 200...299: self = .taken
        case 408, 425, 429, 500...599: self = .later(sentence, after: retryAfter())
        default: self = .refused(sentence)
        }
    }

    /// Why it was not taken.
    var sentence: String? {
        switch self {
        case .taken: nil
        case .later(let sentence, _), .refused(let sentence): sentence
        }
    }
}

package typealias AlertTransport = @Sendable (AlertRequest) async -> AlertAnswer
