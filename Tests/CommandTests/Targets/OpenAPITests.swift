import Foundation
import TestSupport
import Testing

private let environment = ProcessInfo.processInfo.environment
private let schemathesis: String? = {
    guard environment["RANGEFINDER_LONG"] != nil, let python = environment["RANGEFINDER_PYTHON"] else { return nil }
    return URL(fileURLWithPath: python).deletingLastPathComponent().appendingPathComponent("schemathesis").path
}()

/// What the embedded Targets API answers is what docs/targets-api.openapi.yaml says, by a generator of requests that knows nothing else.
@Suite(.enabled(if: schemathesis != nil, "scripts/test --long gets schemathesis from PyPI"), .timeLimit(.minutes(5)))
struct OpenAPITests {
    @Test func noAnswerIsUndocumentedAndNoneIsAnError() async throws {
        let server = try await TargetsServerProgram(token: "t0ken")
        let document = URL(fileURLWithPath: Program.path).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/targets-api.openapi.yaml").path
        let (program, place, url) = (schemathesis ?? "", server.folder.path, server.url)
        let ended = try await onThread {
            try ChildProcess.run(
                program,
                [
                    "run", document, "--url", url, "-H", "Authorization: t0ken", "--max-examples", "100",
                    "--seed", "1",
                    "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
                ], in: place)
        }
        #expect(ended.status == 0, "\(ended.output.suffix(4000))")
        #expect(ended.output.contains("5 selected / 5 total"))
        #expect(!server.program.errors.text.contains("failed"))
    }
}
