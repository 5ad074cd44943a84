import Health
import TargetsAPI
import Testing

@Suite struct ApplyPlanTests {
    private func target(
        _ key: String, _ name: String, region: String = "eu", base: String = "https://a", effect: Target.RuleEffect = .allow
    )
        -> Target
    {
        Target(
            identity: TargetIdentity(clientID: "c", key: key), name: name, baseURL: base, testPath: "/", region: region,
            ruleEffect: effect)
    }

    private func draft(_ name: String, region: String = "eu", base: String = "https://a", effect: Target.RuleEffect? = nil)
        -> TargetDraft
    {
        TargetDraft(name: name, baseURL: base, testPath: "/", region: region, ruleEffect: effect)
    }

    @Test func whatIsDeclaredIsCreatedChangedOrLeftAlone() {
        let plan = ApplyPlan(
            declared: [draft("new"), draft("same"), draft("moved", base: "https://b"), draft("denied", effect: .deny)],
            existing: [target("1", "same", effect: .deny), target("2", "moved"), target("3", "denied"), target("4", "other")],
            prune: false)
        #expect(plan.creates.map(\.name) == ["new"])
        #expect(plan.updates.map(\.change) == [TargetChange(baseURL: "https://b"), TargetChange(ruleEffect: .deny)])
        #expect(plan.deletes == [])
        // A rule effect that isn't declared stays as it is.
        #expect(plan.unchanged == 1)
    }

    @Test func theSameNameInAnotherRegionIsAnotherTarget() {
        let plan = ApplyPlan(declared: [draft("a", region: "us")], existing: [target("1", "a")], prune: true)
        #expect(plan.creates.map(\.region) == ["us"])
        #expect(plan.deletes.map(\.identity.key) == ["1"])
    }

    @Test func whatCantBeToldApartIsLeftAloneAlsoWhenPruning() {
        let plan = ApplyPlan(declared: [draft("a")], existing: [target("1", "a"), target("2", "a")], prune: true)
        #expect(plan.isEmpty)
        #expect(plan.ambiguous.values.map { $0.map(\.identity.key) } == [["1", "2"]])
    }

    @Test func aNameThatARecordHasWhichCantBeReadIsLeftAlone() {
        let rejected = RejectedRecord(
            index: 0, identity: nil, shownName: "a", problem: FieldProblem(field: "targetDefaultRuleEffect", problem: "is odd"))
        let plan = ApplyPlan(declared: [draft("a"), draft("b")], existing: [], rejected: [rejected], prune: true)
        #expect(plan.creates.map(\.name) == ["b"])
        #expect(plan.unreadable.map(\.name) == ["a"] && !plan.isWhole)
    }

    @Test func appliedOnceThereIsNothingLeftToDo() {
        let declared = [draft("a"), draft("b", effect: .deny)]
        let plan = ApplyPlan(declared: declared, existing: [target("1", "a"), target("2", "b", effect: .deny)], prune: true)
        #expect(plan.isEmpty && plan.unchanged == 2)
    }
}
