import Foundation
import Glibc
import TestSupport
import Testing

private let isLong = ProcessInfo.processInfo.environment["RANGEFINDER_LONG"] != nil

/// Fifty clients that write and read at once: they are answered what they would have been answered one after the other, and a server
/// that is killed meanwhile has kept every change that it acknowledged.
@Suite(.enabled(if: isLong, "takes two minutes: RANGEFINDER_LONG"), .serialized, .timeLimit(.minutes(10)))
struct ManyClientsTests {
    /// About a minute in a debug build on two cores.
    private static let operationsEach = 950

    @Test func fiftyClientsAtOnceHaveALinearHistory() async throws {
        let site = try await TargetsServerProgram(token: Traffic.token)
        let traffic = Traffic(port: site.port, seed: 1)
        let (shares, counters) = try await traffic.run(each: Self.operationsEach)
        #expect(traffic.done.value == 50 * Self.operationsEach)
        #expect(shares.flatMap(\.operations).allSatisfy { $0.ended != Operation.never })
        let last = try await traffic.read(port: site.port)
        expectLinear(shares + [last])
        for counter in counters {
            let operations = shares.flatMap(\.operations).filter { $0.target == counter }
            // The first write is the create.
            let acknowledged = operations.count(where: \.isWrite) - 1
            #expect(acknowledged > 0 && last.names[counter].map(count) == acknowledged)
            expectCounts(operations)
        }
        #expect(!site.program.errors.text.contains("failed") && !site.program.errors.text.contains("locked"))
    }

    @Test(arguments: 1...5) func aKilledServerHasEveryChangeThatItAcknowledged(round: Int) async throws {
        let site = try await TargetsServerProgram(token: Traffic.token)
        let traffic = Traffic(port: site.port, seed: 1 + round)
        async let ran = traffic.run(each: Self.operationsEach)
        try await traffic.done.until { $0 >= 1000 * round }
        site.program.send(SIGKILL)
        #expect(await site.program.ended() == -SIGKILL)
        let (shares, counters) = try await ran
        #expect(traffic.done.value < 50 * Self.operationsEach)
        let next = try await TargetsServerProgram(token: Traffic.token, in: site.folder)
        let last = try await traffic.read(port: next.port)
        // A change without an answer may have been made, so its end is open; one with an answer has to be in what is read now.
        expectLinear(shares + [last])
        for counter in counters {
            expectCounts((shares + [last]).flatMap(\.operations).filter { $0.target == counter })
        }
    }

    private func expectCounts(_ operations: [Operation]) {
        if let flaw = flaw(ofCounter: operations) { Issue.record("\(operations.first?.target ?? ""): \(flaw)") }
    }

    private func expectLinear(_ shares: [Share]) {
        var operations = shares.flatMap(\.operations)
        // A create without an answer is known by its name, once that was read.
        let read = operations.filter { !$0.isWrite && $0.name != nil }
        let targets = Dictionary(read.map { ($0.name, $0.target) }) { first, _ in first }
        for index in operations.indices where operations[index].target.isEmpty {
            operations[index].target = targets[operations[index].name] ?? ""
        }
        // What a list leaves out though its create was over is gone by then.
        let created = shares.flatMap(\.created)
        for list in shares.flatMap(\.lists) {
            for one in created where one.list == list.path && one.ended < list.began && !list.targets.contains(one.target) {
                operations.append(Operation(target: one.target, name: nil, began: list.began, ended: list.ended))
            }
        }
        for (target, operations) in Dictionary(grouping: operations, by: \.target) where !target.isEmpty {
            if let flaw = flaw(of: operations) { Issue.record("\(target): \(flaw)") }
        }
    }
}

@Suite struct RegisterCheckTests {
    private static func write(_ name: String?, _ began: Int, _ ended: Int) -> Operation {
        Operation(target: "t", name: name, isWrite: true, began: began, ended: ended)
    }

    private static func read(_ name: String?, _ began: Int, _ ended: Int) -> Operation {
        Operation(target: "t", name: name, began: began, ended: ended)
    }

    private static let first = write("0 a", 0, 1)

    @Test(arguments: [
        [first, read("0 a", 2, 3), write("1 b", 4, 9), read("1 b", 5, 6), read("1 b", 7, 8)],
        // Both writes are under way: either may be the later one.
        [first, write("1 b", 2, 9), write("1 c", 2, 9), read("1 c", 3, 4), read("1 b", 5, 6)],
        [first, write("1 b", 2, .max), read("0 a", 3, 4), read("1 b", 5, 6), read("1 b", 7, 8)],
        [first, write("1 b", 2, .max), write(nil, 3, .max), read("0 a", 20, 21)],
        [first, write(nil, 2, 5), read("0 a", 3, 4), read(nil, 6, 7)],
    ])
    func aHistoryOfARegisterIsTaken(history: [Operation]) { #expect(flaw(of: history) == nil) }

    @Test(arguments: [
        ([first, read("9 x", 2, 3)], "9 x was read and never written"),
        ([first, read("1 b", 2, 3), write("1 b", 4, 5)], "1 b was read before it was written"),
        ([first, write("1 b", 2, 3), read("0 a", 4, 5)], "0 a was there before and after 1 b"),
        ([first, write("1 b", 2, 9), read("1 b", 3, 4), read("0 a", 5, 6), read("1 b", 7, 8)], "before and after"),
        ([first, write("1 b", 2, .max), read("1 b", 3, 4), read("0 a", 5, 6)], "before and after"),
        ([first, write(nil, 2, 3), write(nil, 4, 5)], "no target was acknowledged twice"),
        ([first, write(nil, 2, 3), write("1 b", 4, 5)], "after its delete"),
        ([first, write(nil, 2, 3), read("0 a", 4, 5)], "before and after"),
    ])
    func aHistoryOfNoRegisterIsRefused(history: [Operation], why: String) {
        #expect(flaw(of: history)?.contains(why) == true, "\(flaw(of: history) ?? "taken")")
    }

    @Test func aCounterThatGoesBackOrLosesAnUpdateIsRefused() {
        #expect(flaw(ofCounter: [Self.first, Self.write("1 b", 2, 3), Self.write("2 c", 2, 4)]) == nil)
        #expect(flaw(ofCounter: [Self.first, Self.write("1 b", 2, 3), Self.write("1 c", 2, 3)]) == "an update of 1 was lost")
        #expect(flaw(ofCounter: [Self.first, Self.write("2 c", 2, 3), Self.write("1 b", 4, 5)]) != nil)
    }
}
