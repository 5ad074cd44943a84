import Curl
import SampleTargets
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct SampleTargetsTests {
    private func ask(_ sample: SampleTarget, authority: String?, _ engine: TransferEngine) async throws -> TransferReport {
        let url = try #require(URLParts(sample.baseURL + sample.testPath))
        var request = TransferRequest(url: url)
        request.caFile = authority
        return await engine.transfer(request)
    }

    @Test func everySampleDoesWhatItsNameSays() async throws {
        let samples = try SampleTargets()
        let folder = try TemporaryFolder()
        let authority = try folder.write(samples.authorityPEM, to: "authority.pem")
        let (lists, report) = AsyncStream.makeStream(of: [SampleTarget].self)
        let serving = Task { try await samples.run { report.yield($0) } }
        defer { serving.cancel() }
        let list = try #require(await lists.first { _ in true })
        let engine = try TransferEngine()
        func sample(_ name: String) throws -> SampleTarget { try #require(list.first { $0.name.hasPrefix(name) }) }

        #expect(try await ask(sample("Checkout"), authority: nil, engine).status == 200)
        #expect(try await ask(sample("Search"), authority: authority, engine).status == 200)
        #expect(try await ask(sample("Legacy"), authority: nil, engine).status == 500)
        #expect(try await ask(sample("Admin"), authority: nil, engine).status == 401)
        #expect(try await ask(sample("Ledger"), authority: authority, engine).failure?.code == .certificateExpired)
        #expect(try await ask(sample("Partner"), authority: authority, engine).failure?.code == .certificateUntrusted)
        #expect(Set(list.map { $0.name }).count == list.count)
        await engine.shutDown()
    }
}
