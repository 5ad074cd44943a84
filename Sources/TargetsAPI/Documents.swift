package import Health

/// A member of a target's JSON. The order is the document's.
package enum TargetField: String, CodingKey, Sendable, CaseIterable {
    case pKey, sKey, targetName, targetBaseURL, targetTestPath, targetRegion, targetDefaultRuleEffect
    case userId, clientId, parentId, targetCreatedAt, targetUpdatedAt

    /// The longest value that is taken from a stranger, in bytes of UTF-8.
    package var byteLimit: Int {
        switch self {
        case .targetName: Target.nameLimit
        case .targetBaseURL, .targetTestPath: Target.urlLimit
        case .targetRegion: Target.regionLimit
        case .pKey, .sKey, .userId, .clientId, .parentId: Target.keyLimit
        case .targetDefaultRuleEffect: Target.ruleEffectLimit
        case .targetCreatedAt, .targetUpdatedAt: 64
        }
    }
}

/// A target as the API's answers show it. What the document's examples leave out in one answer or another is optional here.
package struct TargetRecord: Hashable, Sendable {
    package var pKey: String?
    /// The key of its identity; the answers to create and update may lack it.
    package var sKey: String?
    package var name: String
    package var baseURL: String
    package var testPath: String
    package var region: String
    package var ruleEffect: Target.RuleEffect
    package var userID: String?
    package var clientID: String?
    package var parentID: String?
    package var createdAt: Timestamp?
    package var updatedAt: Timestamp?

    package init(
        pKey: String? = nil, sKey: String? = nil, name: String, baseURL: String, testPath: String, region: String,
        ruleEffect: Target.RuleEffect = .allow, userID: String? = nil, clientID: String? = nil, parentID: String? = nil,
        createdAt: Timestamp? = nil, updatedAt: Timestamp? = nil
    ) {
        self.pKey = pKey
        self.sKey = sKey
        self.name = name
        self.baseURL = baseURL
        self.testPath = testPath
        self.region = region
        self.ruleEffect = ruleEffect
        self.userID = userID
        self.clientID = clientID
        self.parentID = parentID
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// What a create sends. `ruleEffect` may be left out and is `allow` then.
package struct TargetDraft: Hashable, Sendable {
    package var name: String
    package var baseURL: String
    package var testPath: String
    package var region: String
    package var ruleEffect: Target.RuleEffect?

    package init(name: String, baseURL: String, testPath: String, region: String, ruleEffect: Target.RuleEffect? = nil) {
        self.name = name
        self.baseURL = baseURL
        self.testPath = testPath
        self.region = region
        self.ruleEffect = ruleEffect
    }
}

/// What an update sends: only what it changes. A region can't change.
package struct TargetChange: Hashable, Sendable {
    package var name: String?
    package var baseURL: String?
    package var testPath: String?
    package var ruleEffect: Target.RuleEffect?

    package init(
        name: String? = nil, baseURL: String? = nil, testPath: String? = nil, ruleEffect: Target.RuleEffect? = nil
    ) {
        self.name = name
        self.baseURL = baseURL
        self.testPath = testPath
        self.ruleEffect = ruleEffect
    }

    package var isEmpty: Bool { self == TargetChange() }
}

/// The `message` of each answer that is no error.
package enum TargetsMessage: String, Sendable {
    case success = "Success"
    case created = "Target created successfully"
    case updated = "Target updated successfully"
    case deleted = "Target deleted successfully"
}
