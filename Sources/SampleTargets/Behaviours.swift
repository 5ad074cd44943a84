import Hummingbird

extension SampleTargets {
    /// What the sample servers do, a path each.
    static func router() -> Router<BasicRequestContext> {
        let router = Router()
        let began = ContinuousClock.now
        router.get("healthy") { _, _ in answer(.ok, "ok\n") }
        router.get("failing") { _, _ in answer(.internalServerError, "broken\n") }
        router.get("locked") { _, _ in answer(.unauthorized, "who are you?\n") }
        router.get("flaky") { _, _ in
            // Long enough to be seen going down and coming back, short enough to be waited for.
            isIn(first: .seconds(15), of: .seconds(30), since: began)
                ? answer(.ok, "ok\n") : answer(.serviceUnavailable, "gone for a moment\n")
        }
        router.get("flaky-too") { _, _ in
            isIn(first: .seconds(30), of: .seconds(47), since: began)
                ? answer(.ok, "ok\n") : answer(.badGateway, "gone for a moment\n")
        }
        router.get("slow") { _, _ in
            try await Task.sleep(
                for: isIn(first: .seconds(20), of: .seconds(40), since: began) ? .milliseconds(120) : .milliseconds(700))
            return answer(.ok, "at last\n")
        }
        router.get("hanging") { _, _ in
            if !isIn(first: .seconds(25), of: .seconds(60), since: began) { try await Task.sleep(for: .seconds(60)) }
            return answer(.ok, "ok\n")
        }
        return router
    }

    private static func isIn(first part: Duration, of period: Duration, since began: ContinuousClock.Instant) -> Bool {
        let elapsed = began.duration(to: .now)
        let rest = elapsed - period * Int(elapsed / period)
        return rest < part
    }

    private static func answer(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(status: status, headers: [.contentType: "text/plain"], body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
