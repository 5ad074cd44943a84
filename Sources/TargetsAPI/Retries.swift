/// Tries an operation again after a while where that may help and can do no harm: what has the same effect once and twice, and what was
/// never sent or was refused unread. With jitter, so that many who failed together don't come back together
/// (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
package struct Retries: Sendable {
    /// All in all.
    package static let attempts = 4
    /// Who wants to be left alone for longer isn't asked again.
    package static let longestWait = Duration.seconds(60)

    private let wait: @Sendable (Duration) async throws -> Void
    /// From 0.5 to 1.
    private let jitter: @Sendable () -> Double

    package init(
        wait: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        jitter: @escaping @Sendable () -> Double = { .random(in: 0.5...1) }
    ) { (self.wait, self.jitter) = (wait, jitter) }

    /// - Parameter isRepeatable: whether doing it twice is doing it once.
    func run<Value>(
        isRepeatable: Bool, _ body: (_ attempt: Int) async throws(APIError) -> Value
    ) async throws(APIError) -> Value {
        for attempt in 1... {
            do throws(APIError) {
                return try await body(attempt)
            } catch {
                guard attempt < Self.attempts, mayHelp(error, isRepeatable, attempt) else { throw error }
                let wait = error.retryAfter ?? .seconds(Double(1 << (attempt - 1)) * jitter())
                guard wait <= Self.longestWait else { throw error }
                do { try await self.wait(wait) } catch { throw cancelled }
            }
        }
        throw cancelled
    }

    private var cancelled: APIError { APIError(.cancelled, "The request to the Targets API was cancelled.") }

    private func mayHelp(_ error: APIError, _ isRepeatable: Bool, _ attempt: Int) -> Bool {
        switch error.code {
        case .dnsFailed, .connectFailed: true
        case .httpStatus where error.httpStatus == 429: true
        case .httpStatus: isRepeatable && [500, 502, 503, 504].contains(error.httpStatus ?? 0)
        case .transportFailed, .emptyBody: isRepeatable
        // Each of these has taken its time already.
        case .timeout: isRepeatable && attempt == 1
        default: false
        }
    }
}
