import Testing

@testable import Curl

@Suite struct ReceiveBudgetTests {
    @Test func whatAHandshakeTakesIsAllowed() {
        var budget = ReceiveBudget()
        let isWithin = budget.spend(bytes: ReceiveBudget.uselessBytesMax, useful: 0)
        #expect(isWithin)
    }

    @Test func bytesThatAreNeitherHeaderNorBodyEndIt() {
        var budget = ReceiveBudget()
        let isWithin = budget.spend(bytes: ReceiveBudget.uselessBytesMax + 1, useful: 0)
        #expect(!isWithin)
    }

    @Test func theBytesOfManyReadsAddUp() {
        var budget = ReceiveBudget()
        let reads = (0...ReceiveBudget.uselessBytesMax / 1024).map { _ in budget.spend(bytes: 1024, useful: 0) }
        #expect(reads.dropLast().allSatisfy(\.self) && reads.last == false)
    }

    @Test func oneUsefulByteIn64IsEnough() {
        var budget = ReceiveBudget()
        let isWithin = (1...100_000).allSatisfy { budget.spend(bytes: 64, useful: $0) }
        #expect(isWithin)
        var short = ReceiveBudget()
        let isShortWithin = (1...100_000 + ReceiveBudget.uselessBytesMax).allSatisfy { short.spend(bytes: 66, useful: $0) }
        #expect(!isShortWithin)
    }

    @Test func aLargeBodyBuysNothingForLater() {
        var budget = ReceiveBudget()
        let first = budget.spend(bytes: 1 << 20, useful: 1 << 20)
        let later = budget.spend(bytes: ReceiveBudget.uselessBytesMax + 1, useful: 1 << 20)
        #expect(first && !later)
    }

    @Test func messagesAfterTheOwnHandshakeAreCounted() {
        var budget = ReceiveBudget()
        let most = budget.spend(messages: ReceiveBudget.messagesMax, isKept: false)
        let more = budget.spend(messages: ReceiveBudget.messagesMax + 1, isKept: false)
        #expect(most && !more)
    }

    @Test func messagesBeforeATransferOnAKeptConnectionAreAnothers() {
        var budget = ReceiveBudget()
        let answers = [1000, 1000 + ReceiveBudget.messagesMax, 1001 + ReceiveBudget.messagesMax]
            .map { budget.spend(messages: $0, isKept: true) }
        #expect(answers == [true, true, false])
    }
}
