import Testing

@testable import Curl

/// Deadlines as plain numbers.
@Suite struct TransferTableTests {
    /// Nobody awaits it any more.
    private func transfer(_ id: UInt64, _ state: TransferState, deadline: UInt64 = 0) async throws -> Transfer {
        let wanted = try request("http://a.test/")
        var made: Transfer?
        _ = await withCheckedContinuation { continuation in
            let submission = Submission(id: id, request: wanted, continuation: continuation)
            made = Transfer(submission, KeptConnections(), systemBundle: "")
            continuation.resume(returning: .unstarted(.init(.cancelled)))
        }
        let transfer = try #require(made)
        (transfer.state, transfer.times.deadline) = (state, deadline)
        return transfer
    }

    @Test func givesThoseThatWaitedTooLongByTheirDeadlines() async throws {
        var table = TransferTable()
        for (id, deadline) in [(1, 50), (2, 30), (3, 90), (4, 10), (5, 70)] as [(UInt64, UInt64)] {
            let transfer = try await transfer(id, .lookingUp(.target))
            table.insert(transfer)
            table.park(transfer, until: deadline)
        }
        #expect(table.nextDeadline() == 10)
        var late: [UInt64] = []
        while let transfer = table.popLate(now: 70) { late.append(transfer.id) }
        #expect(late == [4, 2, 1, 5])
        #expect(table.nextDeadline() == 90)
    }

    @Test func aTransferThatNoLongerWaitsIsPassedOver() async throws {
        var table = TransferTable()
        let transfer = try await transfer(1, .awaitingBundle)
        table.insert(transfer)
        table.park(transfer, until: 10)
        transfer.state = .preparing
        let late = table.popLate(now: 20)
        #expect(late == nil && table.nextDeadline() == nil)
    }

    @Test func aLookupDoesNotEndWithTheWaitForTheBundleBeforeIt() async throws {
        var table = TransferTable()
        let transfer = try await transfer(1, .awaitingBundle)
        table.insert(transfer)
        table.park(transfer, until: 10)
        (transfer.state, transfer.times.deadline) = (.lookingUp(.target), 15)
        table.park(transfer, until: 15)
        let (bundles, own) = (table.popLate(now: 12), table.popLate(now: 15))
        #expect(bundles == nil && own === transfer)
    }

    @Test func whatLibcurlHasIsOverdueAtItsDeadline() async throws {
        var table = TransferTable()
        let transfer = try await transfer(1, .running, deadline: 1000)
        table.insert(transfer)
        table.handedOver(transfer)
        #expect(table.nextDeadline() == 1000)
        let (before, after) = (table.popOverdue(now: 999), table.popOverdue(now: 1000))
        #expect(before == nil && after === transfer)
    }

    @Test func oneThatIsPutOffComesUpInTheNextTurnAndNotInThisOne() async throws {
        var table = TransferTable()
        let transfer = try await transfer(1, .running, deadline: 1000)
        table.insert(transfer)
        table.postpone(transfer, now: 1000)
        let (now, next) = (table.popOverdue(now: 1000), table.popOverdue(now: 1001))
        #expect(now == nil && next === transfer)
    }

    @Test func theDeadlineOfATransferThatIsGoneIsForgotten() async throws {
        var table = TransferTable()
        let transfer = try await transfer(1, .running, deadline: 1000)
        table.insert(transfer)
        table.handedOver(transfer)
        let wasThere = (table.remove(transfer), table.remove(transfer))
        #expect(wasThere == (true, false) && table.isEmpty)
        #expect(table.nextDeadline() == nil && table.popOverdue(now: .max) == nil)
    }
}

@Suite struct BurstQueueTests {
    @Test func givesInOrderWhatCameWhileItIsEmptied() {
        var queue = BurstQueue<Int>()
        var given: [Int] = []
        for number in 0..<3000 {
            queue.append(number)
            if number % 3 == 0, let first = queue.popFirst() { given.append(first) }
        }
        while let first = queue.popFirst() { given.append(first) }
        #expect(given == Array(0..<3000) && queue.isEmpty)
    }
}

@Suite struct BacklogTests {
    @Test func moreBeginAfterALongTurn() {
        #expect(Backlog.allowance(socketNanoseconds: Backlog.nanosecondsOfLongTurn) == Backlog.beginningsPerTurn)
        #expect(Backlog.allowance(socketNanoseconds: Backlog.nanosecondsOfLongTurn + 1) == Backlog.beginningsAfterLongTurn)
    }
}
