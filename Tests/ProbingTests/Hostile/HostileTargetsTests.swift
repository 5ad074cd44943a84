import Testing
import HostileTargets

/// Each hostileCase alone, with the whole suite around it.
@Suite struct HostileTargetsTests {
    @Test(arguments: HostileTargets.hostileCases) func hasTheRightReasonInTime(_ hostileCase: HostileCase) async throws {
        let hostile = try OpenHostileTargets([hostileCase])
        await hostile.probeAll()
        await hostile.close()
    }

    @Test func everyBeastHasANameOfItsOwn() {
        #expect(Set(HostileTargets.hostileCases.map(\.name)).count == HostileTargets.hostileCases.count)
    }
}
