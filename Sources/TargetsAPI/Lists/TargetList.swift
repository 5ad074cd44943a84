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
    /// Its place in the answer, from 0.
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
    /// with a member missing, of the wrong type or past its bound, and the second of one identity, is rejected alone.
    ///
    /// - Parameter known: an earlier list, whose memory is shared.
    package init(json: [UInt8], clientID: String, known: [Target] = []) throws(DocumentProblem) {
        self.init(targets: [])
        var places = [TargetIdentity: Int](minimumCapacity: known.count)
        for (place, target) in known.enumerated() { places[target.identity] = place }
        func shared(_ target: Target) -> Target { places[target.identity].map { target.sharing(known[$0]) } ?? target }
        let splitter = json.withUnsafeBufferPointer { RecordSplitter($0) }
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
        while let first = rest.first, let last = rest.prefix(Self.recordsAtATime).last {
            rest = rest.dropFirst(Self.recordsAtATime)
            let part = [UInt8(ascii: "[")] + json[first.lowerBound..<last.upperBound] + [UInt8(ascii: "]")]
            for record in try decodeJSON([ListedRecord].self, from: part) {
                add(record, clientID: clientID, seen: &seen, shared: shared)
            }
        }
    }

    private static let recordsAtATime = 500

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
    private enum Continuation: String, CodingKey, CaseIterable {
        case next, nextToken, nextPageToken, nextCursor, lastEvaluatedKey
        case nextTokenOfAWS = "NextToken"
        case lastEvaluatedKeyOfAWS = "LastEvaluatedKey"
    }

    private enum Key: CodingKey { case targets }

    let targets: [ListedRecord]
    private let continuation: String?

    init(from decoder: any Decoder) throws {
        targets = try decoder.container(keyedBy: Key.self).decode([ListedRecord].self, forKey: .targets)
        let members = try decoder.container(keyedBy: Continuation.self)
        continuation =
            Continuation.allCases.first { members.contains($0) && (try? members.decodeNil(forKey: $0)) != true }?.rawValue
    }

    /// Part of a list would make the rest of the targets vanish.
    func refuseIfCut() throws(DocumentProblem) {
        guard let continuation else { return }
        throw .malformed("the list goes on, by its member \(continuation), and how to ask for the rest isn't known")
    }
}

/// A record as far as it could be read. Decoding one never throws, so that one bad record doesn't cost the others.
private struct ListedRecord: Decodable {
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

/// The answer to get, create or update: an array even for one.
struct RecordDocument: Decodable {
    let targets: [Lenient<TargetRecord>]

    static func record(json: [UInt8]) throws(DocumentProblem) -> TargetRecord {
        let targets = try decodeJSON(Self.self, from: json).targets
        guard targets.count == 1, let only = targets.first else {
            throw .malformed("\(counted(targets.count, "target")) where one was expected")
        }
        do throws(FieldProblem) { return try only.result.get() } catch { throw .field(error) }
    }
}
