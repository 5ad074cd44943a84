internal import DatabaseFiles
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

    init(_ status: HTTPResponse.Status, _ message: String, retryAfter: Int? = nil) {
        self.status = status
        self.message = message
        self.retryAfter = retryAfter
    }

    /// Where its files are is nothing for clients: the log has that.
    init(_ error: StoreError) {
        let message =
            switch error.code {
            case .database(.locked): "The server's database is locked by another program: try again in a moment."
            case .crowded: "Too many changes are waiting for the server's database: try again in a moment."
            case .gone, .walGone, .cutShort: "The server's database was deleted, replaced or cut short; its log says more."
            case .database(.readOnly), .database(.diskFull), .database(.cannotOpen), .database(.inputOutput):
                "The server's database can't be read or written; its log says more."
            case .database(.notADatabase), .database(.damaged), .database(.other), .newerSchema, .other:
                "The server's database failed; its log says more."
            }
        self.init(error.isFault ? .internalServerError : .serviceUnavailable, message, retryAfter: error.passes ? 5 : nil)
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
