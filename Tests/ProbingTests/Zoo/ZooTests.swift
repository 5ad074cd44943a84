import Testing
import Zoo

/// Each beast alone, with the whole suite around it.
@Suite struct ZooTests {
    @Test(arguments: Zoo.beasts) func hasTheRightReasonInTime(_ beast: Beast) async throws {
        let zoo = try OpenZoo([beast])
        await zoo.probeAll()
        await zoo.close()
    }

    @Test func everyBeastHasANameOfItsOwn() {
        #expect(Set(Zoo.beasts.map(\.name)).count == Zoo.beasts.count)
    }
}
