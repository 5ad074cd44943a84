package import Health

/// One request to an Alertmanager, a webhook or a heartbeat.
package struct AlertRequest: Sendable {
    package var url: PolicyText
    package var method = "POST"
    package var headers: [(name: String, value: String)] = []
    package var body: [UInt8]?
    package var timeout: Duration = .seconds(10)
}

/// What became of a request: it was taken (an answer of 2xx), or a sentence that says why not. The sentence holds no part of the URL, which
/// may be a secret.
package enum AlertAnswer: Hashable, Sendable {
    case taken
    case refused(String)
}

package typealias AlertTransport = @Sendable (AlertRequest) async -> AlertAnswer
