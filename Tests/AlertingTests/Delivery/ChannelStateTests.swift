import Testing

@testable import Alerting

@Suite struct ChannelStateTests {
    private let start = ContinuousClock.now
    private func at(_ seconds: Double) -> ContinuousClock.Instant { start.advanced(by: .seconds(seconds)) }

    /// A channel after one request that failed at 0 s.
    private func failed(_ answer: AlertAnswer = .later("no answer"), atMost limit: Duration? = nil) -> ChannelState {
        var channel = ChannelState.ready
        channel.begin()
        channel.fail(answer, at: at(0), atMost: limit)
        return channel
    }

    @Test func oneRequestIsMadeAtATime() {
        var channel = ChannelState.ready
        #expect(channel.maySend(at: at(0)))
        channel.begin()
        #expect(!channel.maySend(at: at(1000), hurries: true))
        channel.succeed()
        #expect(channel.maySend(at: at(0)))
    }

    @Test func thePausesDoubleAndEndWithAnAnswer() {
        var channel = failed()
        var now = 0.0
        for pause in [1.0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            #expect(!channel.maySend(at: at(now + pause - 0.001)) && channel.maySend(at: at(now + pause)))
            now += pause
            channel.begin()
            channel.fail(.later("no answer"), at: at(now))
        }
        channel.begin()
        channel.succeed()
        channel.begin()
        channel.fail(.later("no answer"), at: at(now))
        #expect(channel.maySend(at: at(now + 1)))
    }

    @Test func whatHurriesEndsAPauseButNotOneThatTheReceiverAskedFor() {
        #expect(failed().maySend(at: at(0.5), hurries: true))
        let asked = failed(.later("HTTP 429", after: .seconds(600)))
        #expect(!asked.maySend(at: at(599), hurries: true))
        #expect(asked.maySend(at: at(600)))
    }

    @Test func aLimitBoundsAPause() {
        #expect(failed(.later("HTTP 503", after: .seconds(600)), atMost: .seconds(60)).maySend(at: at(60)))
    }
}
