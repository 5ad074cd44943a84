package import Health

/// One answer to a list, read record by record.
package struct TargetList: Hashable, Sendable {
    /// In the answer's order; no two of one identity.
    package var targets: [Target]
    package var rejected: [RejectedRecord]

    package init(targets: [Target], rejected: [RejectedRecord] = []) {
        self.targets = targets
        self.rejected = rejected
    }
}

/// A record of a list that can't be used.
package struct RejectedRecord: Hashable, Sendable, CustomStringConvertible {
    /// Its index in the answer, from 0.
    package let index: Int
    /// nil when its `sKey` can't be read.
    package let identity: TargetIdentity?
    /// Its name, fit to be shown; nil when that can't be read.
    package let shownName: String?
    package let problem: FieldProblem

    package init(index: Int, identity: TargetIdentity?, shownName: String?, problem: FieldProblem) {
        self.index = index
        self.identity = identity
        self.shownName = shownName
        self.problem = problem
    }

    /// Names the record and says what is wrong, fit to be shown.
    package var description: String {
        let name = shownName.map { " (\($0))" } ?? ""
        let key = identity.map { " \(displayText($0.key))" } ?? ""
        return "record \(index)\(key)\(name): \(problem)"
    }
}

extension TargetList {
    /// Adds another page; what of it was there already is rejected.
    mutating func append(_ page: TargetList) {
        var seen = Set(targets.map(\.identity))
        let offset = targets.count + rejected.count
        for target in page.targets {
            if seen.insert(target.identity).inserted {
                targets.append(target)
            } else {
                rejected.append(
                    RejectedRecord(
                        index: offset, identity: target.identity, shownName: displayText(target.name),
                        problem: FieldProblem(.sKey, "is that of a record of an earlier page")))
            }
        }
        rejected += page.rejected
    }

    /// Reads the answer to a list of this client.
    ///
    /// Unknown members are ignored, a missing region or rule effect is let pass, and whether a URL is one is not asked here. A record
    /// with a member missing, of the wrong type or past its bound, and the second of one identity, is rejected alone. What a member holds that
    /// nobody reads costs nothing, whatever it is.
    ///
    /// - Parameter known: an earlier list, whose memory is shared.
    package init(json: [UInt8], clientID: String, known: [Target] = []) throws(DocumentProblem) {
        self.init(targets: [])
        var indices = [TargetIdentity: Int](minimumCapacity: known.count)
        for (index, target) in known.enumerated() { indices[target.identity] = index }
        func shared(_ target: Target) -> Target { indices[target.identity].map { target.sharing(known[$0]) } ?? target }
        let splitter = json.withUnsafeBufferPointer {
            RecordSplitter($0, list: "targets", names: ListDocument.continuations)
        }
        var seen: Set<TargetIdentity> = []
        guard let splitter else {
            let document = try decodeJSON(ListDocument.self, from: json)
            try document.refuseIfCut()
            for record in document.targets { add(record, clientID: clientID, seen: &seen, shared: shared) }
            return
        }
        try decodeJSON(ListDocument.self, from: splitter.frame).refuseIfCut()
        targets.reserveCapacity(splitter.records.count)
        seen.reserveCapacity(splitter.records.count)
        var rest = splitter.records[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.recordsAtATime)
            rest = rest.dropFirst(Self.recordsAtATime)
            for record in try Self.decode(part, of: json) { add(record, clientID: clientID, seen: &seen, shared: shared) }
        }
    }

    private static let recordsAtATime = 500

    private static func decode(_ records: ArraySlice<Range<Int>>, of json: [UInt8]) throws(DocumentProblem) -> [ListedRecord] {
        do throws(DocumentProblem) {
            return try decodeJSON([ListedRecord].self, from: array(records, of: json))
        } catch {
            // One of them has a member that is read and is no JSON: that costs it, and not the others.
            return try decodeJSON([ListedRecord].self, from: array(records, of: json, isChecked: true))
        }
    }

    private static func array(
        _ records: ArraySlice<Range<Int>>, of json: [UInt8], isChecked: Bool = false
    ) throws(DocumentProblem) -> [UInt8] {
        var array = [UInt8(ascii: "[")]
        let areWhole = json.withUnsafeBufferPointer { json in
            records.allSatisfy { record in
                if array.count > 1 { array.append(UInt8(ascii: ",")) }
                return RecordSplitter.append(record, of: json, names: ListedRecord.names, isChecked: isChecked, to: &array)
            }
        }
        guard areWhole else { throw .notJSON }
        array.append(UInt8(ascii: "]"))
        return array
    }

    private mutating func add(
        _ record: ListedRecord, clientID: String, seen: inout Set<TargetIdentity>, shared: (Target) -> Target
    ) {
        let identity = record.key.map { TargetIdentity(clientID: clientID, key: $0) }
        let isFirst = identity.map { seen.insert($0).inserted } ?? true
        let problem = isFirst ? record.problem : FieldProblem(.sKey, "is that of an earlier record")
        if problem == nil, let identity {
            targets.append(
                shared(
                    Target(
                        identity: identity, name: record.name ?? "", baseURL: record.baseURL, testPath: record.testPath,
                        region: record.region, ruleEffect: record.ruleEffect)))
        } else {
            rejected.append(
                RejectedRecord(
                    index: targets.count + rejected.count, identity: identity, shownName: record.name.map { displayText($0) },
                    problem: problem ?? FieldProblem(.sKey, "is missing")))
        }
    }
}

private struct ListDocument: Decodable {
    /// By which other APIs say that a list goes on.
    static let continuations = [
        "next", "nextToken", "nextPageToken", "nextCursor", "lastEvaluatedKey", "NextToken", "LastEvaluatedKey",
    ]

    let targets: [ListedRecord]
    private let continuation: String?

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Key.self)
        targets = try members.decode([ListedRecord].self, forKey: Key(stringValue: "targets"))
        continuation = Self.continuations.first { name in
            members.contains(Key(stringValue: name))
                && (try? members.decode(Continuation.self, forKey: Key(stringValue: name)))?.isEmpty != true
        }
    }

    /// Part of a list would make the rest of the targets vanish.
    func refuseIfCut() throws(DocumentProblem) {
        guard let continuation else { return }
        throw .malformed("the list goes on, by its member \(continuation), and how to ask for the rest isn't known")
    }
}

/// Any key.
private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

/// What names the next page. Of the last one APIs have nothing there, in one form or another: null, `""`, `false`, 0, `{}` or `[]`.
private struct Continuation: Decodable {
    let isEmpty: Bool

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            isEmpty = true
        } else if let text = try? value.decode(String.self) {
            isEmpty = text.isEmpty
        } else if let truth = try? value.decode(Bool.self) {
            isEmpty = !truth
        } else if let number = try? value.decode(Double.self) {
            isEmpty = number == 0
        } else if let object = try? decoder.container(keyedBy: Key.self) {
            isEmpty = object.allKeys.isEmpty
        } else {
            isEmpty = try decoder.unkeyedContainer().isAtEnd
        }
    }
}

/// A record as far as it could be read. Decoding one never throws, so that one bad record doesn't cost the others.
private struct ListedRecord: Decodable {
    /// Of the members that are read.
    static let names = MemberNames(
        [TargetField.sKey, .targetName, .targetBaseURL, .targetTestPath, .targetRegion, .targetDefaultRuleEffect].map(\.rawValue))

    var key: String?
    var name: String?
    var baseURL = ""
    var testPath = ""
    var region = ""
    var ruleEffect = Target.RuleEffect.allow
    var problem: FieldProblem?

    init(from decoder: any Decoder) {
        guard let container = try? decoder.container(keyedBy: TargetField.self) else {
            problem = FieldProblem(field: "record", problem: "is not an object")
            return
        }
        let members = Members(container: container)
        // The name is read whatever the key is worth, and the other way round: both help to say which record it is.
        let nameResult = Result { () throws(FieldProblem) in try members.text(.targetName) }
        name = try? nameResult.get()
        do throws(FieldProblem) {
            key = try members.nonEmptyText(.sKey)
            _ = try nameResult.get()
            baseURL = try members.text(.targetBaseURL)
            testPath = try members.text(.targetTestPath)
            region = try members.optionalText(.targetRegion) ?? ""
            ruleEffect = try members.ruleEffect() ?? .allow
        } catch {
            problem = error
        }
    }
}

/// The answer to get, create or update: an array even for one. Read as a list is, so that what holds for a record there holds here.
struct RecordDocument: Decodable {
    let targets: [Lenient<TargetRecord>]

    private static let names = MemberNames(TargetField.allCases.map(\.rawValue))

    static func record(json: [UInt8]) throws(DocumentProblem) -> TargetRecord {
        let targets = try decodeJSON(Self.self, from: withoutUnread(json) ?? json).targets
        guard targets.count == 1, let only = targets.first else {
            throw .malformed("\(counted(targets.count, "target")) where one was expected")
        }
        do throws(FieldProblem) { return try only.result.get() } catch { throw .field(error) }
    }

    /// The same without members that nobody reads; nil where the decoder has to say what it is.
    private static func withoutUnread(_ json: [UInt8]) -> [UInt8]? {
        json.withUnsafeBufferPointer { json in
            guard let splitter = RecordSplitter(json, list: "targets", names: []), splitter.records.count == 1 else { return nil }
            var text = Array(#"{"targets":["#.utf8)
            guard RecordSplitter.append(splitter.records[0], of: json, names: names, isChecked: true, to: &text) else {
                return nil
            }
            return text + Array("]}".utf8)
        }
    }
}
