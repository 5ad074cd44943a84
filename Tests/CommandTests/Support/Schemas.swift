import Foundation
import TestSupport
import Testing

/// That has jsonschema; scripts/test prepares it.
let python = ProcessInfo.processInfo.environment["RANGEFINDER_PYTHON"]

/// What a document has against its schema in docs/json, as Python's jsonschema says it; `read` alone when it has nothing.
func problems(of json: String, against schema: String) throws -> String {
    let folder = try TemporaryFolder()
    let document = try folder.write(json, to: "document.json")
    let root = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { path, _ in path.deletingLastPathComponent() }
    let schemaFile = root.appendingPathComponent("docs/json/\(schema).schema.json").path
    let script = """
        import json, sys, jsonschema
        schema, document = (json.load(open(path)) for path in sys.argv[1:3])
        jsonschema.Draft202012Validator.check_schema(schema)
        for error in jsonschema.Draft202012Validator(schema).iter_errors(document): print(error.json_path, error.message)
        print("read")
        """
    return try ChildProcess.run(try #require(python), ["-c", script, schemaFile, document]).output
}
