import Foundation
import Glibc
import TestSupport
import Testing

@testable import Curl

private let isLong = ProcessInfo.processInfo.environment["RANGEFINDER_LONG"] != nil

@Suite(.enabled(if: isLong, "scripts/test --long runs it"), .timeLimit(.minutes(5))) struct TenThousandTests {
    /// Listeners that nobody accepts from: the kernel completes the connections, and they hang.
    private func listeners(_ count: Int) throws -> [(descriptor: Int32, port: Int)] {
        try (0..<count).map { _ in
            let bound = try boundSocket("127.0.0.1")
            listen(bound.descriptor, 4096)
            return bound
        }
    }

    @Test func tenThousandHangingTransfersEndAtTheirTimeoutAndLeaveNothingBehind() async throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        try #require(limit.rlim_cur >= 12_000, "the hard limit of descriptors is below 12,000")
        let bound = try listeners(8)
        defer { bound.forEach { close($0.descriptor) } }
        let engine = try TransferEngine()
        let reports = await withTaskGroup(of: TransferFailure.Code?.self) { group in
            for index in 0..<10_000 {
                guard let url = URLParts("http://127.0.0.1:\(bound[index % bound.count].port)/") else { continue }
                group.addTask { await engine.transfer(TransferRequest(url: url, timeout: .seconds(10))).failure?.code }
            }
            return await group.reduce(into: [TransferFailure.Code?: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(reports == [.timedOut: 10_000])
        await engine.shutDown()
    }
}
