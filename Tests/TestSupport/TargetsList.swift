import Foundation

/// The client in the examples of the Targets API's document.
package let documentedClient = "550e8400-e29b-41d4-a716-446655440000"

/// One record as the Targets API lists it.
package func record(
    _ key: String, name: String = "n", url: String, path: String = "/", region: String = "us-east-1"
) -> String {
    func quoted(_ text: String) -> String {
        let bytes = (try? JSONEncoder().encode(text)) ?? Data()
        return String(decoding: bytes, as: UTF8.self)
    }
    return """
        {"pKey":"\(documentedClient)","sKey":\(quoted(key)),"targetName":\(quoted(name)),"targetBaseURL":\(quoted(url)),\
        "targetTestPath":\(quoted(path)),"targetRegion":\(quoted(region)),"targetDefaultRuleEffect":"allow"}
        """
}

/// The Targets API's answer with these records.
package func list(_ records: [String]) -> LoopbackReply {
    .http(
        200, headers: ["Content-Type: application/json"],
        body: #"{"targets":[\#(records.joined(separator: ","))],"message":"Success"}"#)
}
