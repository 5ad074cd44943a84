import Health
import TargetsAPI
import Terminal

/// A plan like a diff: `+` is created, `~` changed, `-` deleted, `!` can't be told apart.
func planText(_ plan: ApplyPlan, style: TerminalStyle) -> String {
    var text = ""
    for draft in plan.creates {
        text +=
            style.coloured("+ \(displayText(draft.name)) (\(displayText(draft.region)))", .green)
            + "  \(shownURL(draft.baseURL, draft.testPath))\n"
    }
    for update in plan.updates {
        text += style.coloured("~ \(displayText(update.target.name)) (\(displayText(update.target.region)))", .yellow) + "\n"
        let changes: [(String, String, String?)] = [
            ("base_url", update.target.baseURL, update.change.baseURL),
            ("test_path", update.target.testPath, update.change.testPath),
            ("rule_effect", update.target.ruleEffect.rawValue, update.change.ruleEffect?.rawValue),
        ]
        for (name, old, new) in changes {
            guard let new else { continue }
            let (before, after) = (displayText(urlWithoutSecrets(old)), displayText(urlWithoutSecrets(new)))
            text += "    \(name): \(before) → \(after)" + (before == after ? " (what isn't shown of it changes)" : "") + "\n"
        }
    }
    for target in plan.deletes {
        text +=
            style.coloured("- \(displayText(target.name)) (\(displayText(target.region)))", .red)
            + "  \(displayText(target.identity.key))  \(shownURL(target.baseURL, target.testPath))\n"
    }
    for (place, targets) in plan.ambiguous.sorted(by: { $0.key < $1.key }) {
        let keys = targets.map { displayText($0.identity.key) }.joined(separator: ", ")
        text +=
            style.coloured("! \(displayText(place.name)) (\(displayText(place.region)))", .red)
            + "  \(targets.count) of this name, none is touched; delete or rename all but one: \(keys)\n"
    }
    for draft in plan.unreadable {
        text +=
            style.coloured("! \(displayText(draft.name)) (\(displayText(draft.region)))", .red)
            + "  a record of this name can't be read, nothing is touched; mend or delete that record\n"
    }
    let counts =
        "\(plan.creates.count) to create, \(plan.updates.count) to change, \(plan.deletes.count) to delete, \(plan.unchanged) as declared"
    return text + counts + "\n"
}

extension Target {
    /// As it would be, before it has an identity.
    init(draft: TargetDraft) {
        self.init(
            identity: TargetIdentity(clientID: "", key: ""), name: draft.name, baseURL: draft.baseURL, testPath: draft.testPath,
            region: draft.region)
    }

    /// As it would be, where it would be somewhere else.
    func moved(by change: TargetChange) -> Target? {
        guard change.baseURL != nil || change.testPath != nil else { return nil }
        var moved = self
        (moved.baseURL, moved.testPath) = (change.baseURL ?? baseURL, change.testPath ?? testPath)
        return moved
    }
}
