import Health
import Pages
import TargetsAPI

/// One change of a plan as `targets apply --json` prints it.
struct ChangeItem: Encodable {
    /// `create`, `update`, `delete`, or `none` for what can't be touched.
    var action: String
    /// Its id; a target that isn't there yet has none.
    @OrNull var targetID: String?
    var target: String
    var region: String
    /// `planned`, `done`, `failed`, `not_tried`, or `refused` for what can't be touched.
    var state: String
    @OrNull var message: String?
}

/// - Parameter outcomes: nil where nothing was done.
func changeItems(_ steps: [Application.Step], _ outcomes: [Application.Outcome]?, _ plan: ApplyPlan) -> [ChangeItem] {
    let changes = steps.indices.map { number in
        var item =
            switch steps[number] {
            case .create(let draft, _):
                ChangeItem(action: "create", target: draft.name, region: draft.region, state: "planned")
            case .update(let update): item("update", update.target)
            case .delete(let target): item("delete", target)
            }
        switch outcomes?[number] {
        case nil: break
        case .done: item.state = "done"
        case .failed(let error): (item.state, item.message) = ("failed", error.description)
        case .notTried: item.state = "not_tried"
        }
        return item
    }
    let ambiguous = plan.ambiguous.sorted { $0.key < $1.key }.map { place, targets in
        ChangeItem(
            action: "none", target: place.name, region: place.region, state: "refused",
            message: "\(targets.count) targets have this name")
    }
    let unreadable = plan.unreadable.map { draft in
        ChangeItem(
            action: "none", target: draft.name, region: draft.region, state: "refused",
            message: "a record of this name can't be read")
    }
    return changes + ambiguous + unreadable
}

private func item(_ action: String, _ target: Target) -> ChangeItem {
    ChangeItem(action: action, targetID: target.identity.key, target: target.name, region: target.region, state: "planned")
}
