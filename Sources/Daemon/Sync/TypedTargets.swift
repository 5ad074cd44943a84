import Health
import Settings
import TargetsAPI

/// The list of a daemon that was started for some targets alone. It never changes.
struct TypedTargets: ListSource {
    let clientID = WatchedFile.clientID
    let name = "the command line"
    let isWorthAskingAgain = false
    private let targets: [Target]
    private let fingerprint: AnswerFingerprint

    init(_ targets: [Target]) { (self.targets, fingerprint) = (targets, AnswerFingerprint(of: [])) }

    func list(unless known: AnswerFingerprint?, like targets: [Target]) async throws(APIError) -> ListAnswer {
        known == fingerprint ? .unchanged : .list(TargetList(targets: self.targets), fingerprint)
    }
}
