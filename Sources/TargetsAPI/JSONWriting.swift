internal import Health

// Writing is done here rather than by JSONEncoder, which knows no order of members and escapes every slash: the answers then are
// the document's, byte for byte.

extension TargetRecord {
    /// The answer that carries these records: `{"targets":[…],"message":"…"}`.
    package static func envelope(_ records: [TargetRecord], _ message: TargetsMessage) -> [UInt8] {
        var json = Array(#"{"targets":["#.utf8)
        json.reserveCapacity(records.count * 512 + 64)
        for (index, record) in records.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            appendObject(record.members, to: &json)
        }
        json += Array(#"],"message":"#.utf8)
        appendText(message.rawValue, to: &json)
        json.append(UInt8(ascii: "}"))
        return json
    }
}

extension TargetRecord {
    /// One record alone.
    package var json: [UInt8] {
        var json: [UInt8] = []
        appendObject(members, to: &json)
        return json
    }

    fileprivate var members: [(TargetField, String?)] {
        [
            (.pKey, pKey), (.sKey, sKey), (.targetName, name), (.targetBaseURL, baseURL), (.targetTestPath, testPath),
            (.targetRegion, region), (.targetDefaultRuleEffect, ruleEffect.rawValue), (.userId, userID), (.clientId, clientID),
            (.parentId, parentID), (.targetCreatedAt, createdAt?.description), (.targetUpdatedAt, updatedAt?.description),
        ]
    }
}

extension TargetDraft {
    package var json: [UInt8] {
        var json: [UInt8] = []
        appendObject(
            [
                (.targetName, name), (.targetRegion, region), (.targetBaseURL, baseURL), (.targetTestPath, testPath),
                (.targetDefaultRuleEffect, ruleEffect?.rawValue),
            ], to: &json)
        return json
    }
}

extension TargetChange {
    package var json: [UInt8] {
        var json: [UInt8] = []
        appendObject(
            [
                (.targetName, name), (.targetBaseURL, baseURL), (.targetTestPath, testPath),
                (.targetDefaultRuleEffect, ruleEffect?.rawValue),
            ], to: &json)
        return json
    }
}

/// The answer that carries nothing but a message: a delete's, or an error's.
///
/// - Parameter errors: what is wrong with single members of a body.
package func messageDocument(_ message: String, errors: [FieldProblem] = []) -> [UInt8] {
    var json = Array(#"{"message":"#.utf8)
    appendText(message, to: &json)
    if !errors.isEmpty {
        json += Array(#","errors":["#.utf8)
        for (index, error) in errors.enumerated() {
            json += Array((index > 0 ? "," : "").utf8) + Array(#"{"field":"#.utf8)
            appendText(error.field, to: &json)
            json += Array(#","message":"#.utf8)
            appendText(error.problem, to: &json)
            json.append(UInt8(ascii: "}"))
        }
        json.append(UInt8(ascii: "]"))
    }
    json.append(UInt8(ascii: "}"))
    return json
}

/// Members without a value are left out.
private func appendObject(_ members: [(TargetField, String?)], to json: inout [UInt8]) {
    json.append(UInt8(ascii: "{"))
    var isFirst = true
    for case (let field, let value?) in members {
        if !isFirst { json.append(UInt8(ascii: ",")) }
        isFirst = false
        appendText(field.rawValue, to: &json)
        json.append(UInt8(ascii: ":"))
        appendText(value, to: &json)
    }
    json.append(UInt8(ascii: "}"))
}

/// A string as RFC 8259 section 7 wants it; everything that needn't be escaped stands as it is.
private func appendText(_ text: String, to json: inout [UInt8]) {
    json.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): json += [UInt8(ascii: "\\"), byte]
        case 0..<0x20: json += Hex.jsonEscape(UInt16(byte)).utf8
        default: json.append(byte)
        }
    }
    json.append(UInt8(ascii: "\""))
}
