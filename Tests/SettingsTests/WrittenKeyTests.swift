import Health
import Testing

@testable import Settings

@Suite struct WrittenKeyTests {
    private static let file = """
        vantage: a
        targets_api: {clients: [{id: c, token_env: T}]}
        probe:
          timeout: 5s
          interval: 30s
          headers: {X-Team: blue}
          expect:
            status: [200, 204]
            max_duration: 1s
        overrides:
          - match: {name: "Stripe *", url: "https://*.stripe.com/*"}
            probe:
              timeout: 10s
              headers: {Authorization: {env: T}}
              expect: {max_duration: 2s}
        """

    private static let target = Target(
        identity: TargetIdentity(clientID: "c", key: "k"), name: "k", baseURL: "https://k.example", testPath: "/", region: "")

    private func settings() throws -> Settings {
        try #require(read(Self.file, on: machine(environment: ["T": "s3cret"])).settings)
    }

    @Test func eachKeyThatIsNotADefaultSaysWhereItComesFrom() throws {
        let keys = try settings().keysInForce(override: 0, of: Self.target)
        #expect(
            keys.map { "\($0.key.path) \($0.key.value) (\($0.origin))" } == [
                "expect.status [200, 204] (probe, line 8)",
                "headers {Authorization: {env: T}} (the override of line 11, line 14)",
                "expect.max_duration 2s (the override of line 11, line 15)",
            ])
    }

    @Test func withoutAnOverrideTheSectionProbeHolds() throws {
        let keys = try settings().keysInForce(override: nil, of: Self.target)
        #expect(
            keys.map { "\($0.key.path) \($0.key.value)" } == [
                "timeout 5s", "headers {X-Team: …}", "expect.status [200, 204]", "expect.max_duration 1s",
            ])
        #expect(Settings().keysInForce(override: nil, of: Self.target).isEmpty)
    }
}
