import TestSupport
import Testing

@testable import Curl

/// HTTP/2 as nginx speaks it over TLS.
@Suite(.timeLimit(.minutes(5))) struct HTTP2Tests {
    /// One at a time: several requests at once on one connection would wait for one another, and libcurl 7.88.1 mixes them up.
    @Test func manyAtOnceThatReuseConnectionsAreAllAnswered() async throws {
        let authority = try TestAuthority()
        try authority.folder.write(String(repeating: "x", count: 100_000), to: "page")
        let nginx = try Nginx(authority)
        let reusing = try request("https://127.0.0.1:\(nginx.port)/page") {
            ($0.httpVersion, $0.connection, $0.caFile) = (.http2, .reuse, authority.bundle)
        }
        let engine = try TransferEngine()
        for _ in 0..<5 {
            let reports = await withTaskGroup(of: TransferReport.self) { group in
                for _ in 0..<100 { group.addTask { await engine.transfer(reusing) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(reports.compactMap(\.failure) == [])
            #expect(reports.allSatisfy { $0.status == 200 && $0.httpVersion == 2 && $0.bodyLength == 100_000 })
        }
        // The later ones had the first ones' connections.
        #expect(try nginx.connections().count < 200)
        await engine.shutDown()
    }
}
