import TestSupport
import Testing

@testable import Curl

/// What libcurl has ends at its deadline, whatever libcurl does.
@Suite(.timeLimit(.minutes(1))) struct OverdueTests {
    @Test func aTransferThatLibcurlHasForgottenEndsAtItsDeadline() async throws {
        let mailbox = try Mailbox()
        defer { mailbox.close() }
        let wanted = try request("http://127.0.0.1:1/") { $0.timeout = .milliseconds(50) }
        let report = await withCheckedContinuation { continuation in
            let submission = Submission(id: 1, request: wanted, continuation: continuation)
            let error = startThread(named: "forgetful", stackBytes: 4 << 20) {
                guard let loop = try? Loop(mailbox), let handle = EasyHandle() else {
                    return continuation.resume(returning: .unstarted(.init(.localFault)))
                }
                let transfer = Transfer(submission, KeptConnections(), systemBundle: "")
                _ = transfer.state.begin(wanted)
                transfer.markBeginning()
                transfer.handle = handle
                loop.transfers.insert(transfer)
                // Before the loop has told libcurl whom to tell when it wants to go on, so nobody hears of it.
                if let failure = loop.add(transfer, handle) { loop.end(transfer, failure) }
                loop.run()
            }
            if error != 0 { continuation.resume(returning: .unstarted(.init(.localFault))) }
        }
        #expect(report.failure?.code == .connectTimedOut, "\(String(describing: report.failure))")
        #expect(report.duration == .milliseconds(50))
    }
}

extension Loop {
    fileprivate convenience init(_ mailbox: Mailbox) throws {
        try self.init(
            mailbox: mailbox, executor: EngineExecutor(mailbox), load: LoadMeter(), authorities: Authorities(),
            bounds: Bounds(idleConnections: 1), userAgent: nil, resolver: NameResolver { _ in .addresses([]) },
            hasRoute: { _ in true })
    }
}
