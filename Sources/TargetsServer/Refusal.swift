internal import HTTPTypes
internal import Health
internal import TargetsAPI

/// An answer that isn't 200, with the sentence it carries as `message`.
struct Refusal: Error {
    let status: HTTPResponse.Status
    let message: String
    var allow: String?
    /// Seconds.
    var retryAfter: Int?
    /// What is wrong with single members of the body.
    var errors: [FieldProblem] = []

    init(_ status: HTTPResponse.Status, _ message: String) {
        self.status = status
        self.message = message
    }

    init(methodNotAllowed method: HTTPRequest.Method, allow: String) {
        self.init(.methodNotAllowed, "\(displayText(method.rawValue, limit: 32)) isn't possible here; \(allow) are.")
        self.allow = allow
    }

    init(_ problem: DocumentProblem) {
        switch problem {
        case .notJSON: self.init(.badRequest, "The body is not JSON.")
        case .malformed(let how): self.init(.badRequest, "The body has an unknown shape: \(displayText(how)).")
        case .field(let problem) where problem.field == "record": self.init(.badRequest, "The body is not a JSON object.")
        case .field(let problem):
            self.init(.unprocessableContent, "\(problem).")
            errors = [problem]
        }
    }

    static var noSuchTarget: Refusal { Refusal(.notFound, "The client has no such target.") }
}
