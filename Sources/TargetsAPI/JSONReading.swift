internal import FoundationEssentials
internal import Health

/// What is wrong with one member of one record.
package struct FieldProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The member's name in the JSON, or `record` when there is no object at all.
    package let field: String
    /// Continues a sentence that begins with the field: "is missing".
    package let problem: String

    package init(field: String, problem: String) {
        self.field = field
        self.problem = problem
    }

    init(_ field: TargetField, _ problem: String) { self.init(field: field.rawValue, problem: problem) }

    package var description: String { "\(field) \(problem)" }
}

/// Why a body is not the document that was expected.
package enum DocumentProblem: Error, Hashable, Sendable {
    case notJSON
    /// JSON, but not of the expected shape: a part of a sentence that says how.
    case malformed(String)
    case field(FieldProblem)
}

extension TargetDraft {
    /// Reads the body of a create.
    package init(json: [UInt8]) throws(DocumentProblem) { self = try readDocument(json) }
}

extension TargetChange {
    /// Reads the body of an update.
    package init(json: [UInt8]) throws(DocumentProblem) { self = try readDocument(json) }
}

extension TargetDraft: MemberReadable {
    init(_ members: Members) throws(FieldProblem) {
        self.init(
            name: try members.nonEmptyText(.targetName), baseURL: try members.nonEmptyText(.targetBaseURL),
            testPath: try members.text(.targetTestPath), region: try members.nonEmptyText(.targetRegion),
            ruleEffect: try members.knownRuleEffect())
    }
}

extension TargetChange: MemberReadable {
    init(_ members: Members) throws(FieldProblem) {
        guard !members.has(.targetRegion) else {
            throw FieldProblem(
                .targetRegion, "can't change after creation; create the target anew in the other region and delete this one")
        }
        func text(_ field: TargetField) throws(FieldProblem) -> String? {
            members.has(field) ? try members.nonEmptyText(field) : nil
        }
        self.init(
            name: try text(.targetName), baseURL: try text(.targetBaseURL),
            testPath: members.has(.targetTestPath) ? try members.text(.targetTestPath) : nil,
            ruleEffect: members.has(.targetDefaultRuleEffect) ? try members.knownRuleEffect() : nil)
    }
}

extension TargetRecord: MemberReadable {
    /// Of the answers to get, create and update. What the daemon doesn't work with may be missing or odd.
    init(_ members: Members) throws(FieldProblem) {
        func extra(_ field: TargetField) -> String? { try? members.text(field) }
        self.init(
            pKey: extra(.pKey), sKey: extra(.sKey), name: try members.text(.targetName),
            baseURL: try members.text(.targetBaseURL), testPath: try members.text(.targetTestPath),
            region: try members.optionalText(.targetRegion) ?? "", ruleEffect: try members.ruleEffect() ?? .allow,
            userID: extra(.userId), clientID: extra(.clientId), parentID: extra(.parentId),
            createdAt: extra(.targetCreatedAt).flatMap { Timestamp($0) },
            updatedAt: extra(.targetUpdatedAt).flatMap { Timestamp($0) })
    }
}

protocol MemberReadable {
    init(_ members: Members) throws(FieldProblem)
}

/// The members of one record, each read with its bound.
struct Members {
    let container: KeyedDecodingContainer<TargetField>

    func has(_ field: TargetField) -> Bool { container.contains(field) }

    func text(_ field: TargetField) throws(FieldProblem) -> String {
        let text: String
        do {
            text = try container.decode(String.self, forKey: field)
        } catch DecodingError.keyNotFound {
            throw FieldProblem(field, "is missing")
        } catch DecodingError.valueNotFound {
            throw FieldProblem(field, "is null")
        } catch {
            throw FieldProblem(field, "is not text")
        }
        guard text.utf8.count <= field.byteLimit else {
            throw FieldProblem(field, "is \(text.utf8.count) bytes long, more than \(field.byteLimit)")
        }
        return text
    }

    func nonEmptyText(_ field: TargetField) throws(FieldProblem) -> String {
        let text = try text(field)
        guard !text.isEmpty else { throw FieldProblem(field, "is empty") }
        return text
    }

    /// nil when the member is missing or null.
    func optionalText(_ field: TargetField) throws(FieldProblem) -> String? {
        guard has(field), (try? container.decodeNil(forKey: field)) != true else { return nil }
        return try text(field)
    }

    /// Whatever the API has. nil when the member is missing, null or empty.
    func ruleEffect() throws(FieldProblem) -> Target.RuleEffect? {
        guard let text = try optionalText(.targetDefaultRuleEffect), !text.isEmpty else { return nil }
        return Target.RuleEffect(rawValue: text)
    }

    /// Of what is asked of our own API. nil when the member is missing or null.
    func knownRuleEffect() throws(FieldProblem) -> Target.RuleEffect? {
        guard let text = try optionalText(.targetDefaultRuleEffect) else { return nil }
        let effect = Target.RuleEffect(rawValue: text)
        guard effect.isKnown else { throw FieldProblem(.targetDefaultRuleEffect, "is neither allow nor deny") }
        return effect
    }
}

/// Decoding one never throws, so that one bad record of a list doesn't cost the others.
struct Lenient<Value: MemberReadable>: Decodable {
    let result: Result<Value, FieldProblem>

    init(from decoder: any Decoder) {
        guard let container = try? decoder.container(keyedBy: TargetField.self) else {
            result = .failure(FieldProblem(field: "record", problem: "is not an object"))
            return
        }
        result = Result { () throws(FieldProblem) in try Value(Members(container: container)) }
    }
}

private func readDocument<Value: MemberReadable>(_ json: [UInt8]) throws(DocumentProblem) -> Value {
    switch try decodeJSON(Lenient<Value>.self, from: json).result {
    case .success(let value): return value
    case .failure(let problem): throw .field(problem)
    }
}

func decodeJSON<Value: Decodable>(_ type: Value.Type, from json: [UInt8]) throws(DocumentProblem) -> Value {
    do {
        return try JSONDecoder().decode(type, from: decodable(json))
    } catch DecodingError.dataCorrupted {
        throw .notJSON
    } catch DecodingError.keyNotFound(let key, _) {
        throw .malformed("\(key.stringValue) is missing")
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
        throw .malformed("\(context.codingPath.last?.stringValue ?? "the document") is of the wrong type")
    } catch {
        throw .notJSON
    }
}

/// What a stranger's JSON is decoded from: with a blank behind it. Foundation of Swift 6.3.1 looks at the byte behind the 513th open array to
/// say where it is, and ends the process where there is none.
func decodable(_ json: some Collection<UInt8>) -> Data {
    var data = Data(json)
    data.append(UInt8(ascii: " "))
    return data
}
