import Alerting
import Curl
import Daemon
import Health
import Synchronization

/// An alert begins or ends, and a webhook and an Alertmanager are told of it over the daemon's own transport; and a heartbeat goes out.
final class ReceiverWay: Sendable {
    private let alerter: Alerter
    private let transport: AlertTransport
    private let heartbeat: AlertingOptions.Heartbeat
    private let collected: Collected
    private let past = Mutex((rounds: 0, isFiring: false))
    private let began = ContinuousClock.now

    /// Longer than any wait between two attempts, by a clock that only the cases move.
    private static let round = Duration.seconds(4000)
    private static let roundsOfCase = 2

    init(engine: TransferEngine, origin: String, timeout: Duration) {
        let url = PolicyText.secret(Secret("\(origin)/\(Case.secret)"))
        var options = AlertingOptions(vantage: "here", link: "http://127.0.0.1:1/")
        options.add(alertmanager: origin)
        options.add(AlertingOptions.Webhook(url: url, secret: Secret(Case.secret), position: 1))
        alerter = Alerter(
            options, memory: AlertMemory(persist: { _ in 0 }, durable: { 0 }), inMaintenance: { [] }, onEvent: { _ in }
        )
        heartbeat = AlertingOptions.Heartbeat(url: Secret(url.revealed), interval: .seconds(60))
        let collected = Collected()
        let inner = alertTransport(userAgent: "rangefinder/fuzz", over: engine)
        transport = { request in
            var request = request
            request.timeout = timeout
            let answer = await inner(request)
            collected.add(answer)
            return answer
        }
        self.collected = collected
    }

    func run(_ fuzzed: Case) async -> Seen {
        if fuzzed.number % 3 == 0 {
            await alerter.send(heartbeat, over: transport, wall: wall(0), statuses: [:])
        } else {
            let (first, isFiring) = past.withLock { past in
                past.isFiring.toggle()
                past.rounds += Self.roundsOfCase
                return (past.rounds - Self.roundsOfCase, past.isFiring)
            }
            alerter.set(.syncHeld, .client("c"), isFiring: isFiring, at: wall(first), summary: "fuzzed", description: "fuzzed")
            for round in first + 1...first + Self.roundsOfCase {
                await alerter.sendDue(over: transport, at: began.advanced(by: Self.round * round), wall: wall(round))
            }
        }
        let answers = collected.takeAll()
        return Seen(
            word: answers.contains(.taken) ? "taken" : "refused", sentence: "\(answers)", complaints: complaints(answers),
            requests: max(1, answers.count))
    }

    private func wall(_ round: Int) -> Timestamp { Timestamp(milliseconds: 1_700_000_000_000) + Self.round * round }

    /// A webhook's URL is secret; what Alertmanager answers is made fit to be shown by who shows it.
    private func complaints(_ answers: [AlertAnswer]) -> [String] {
        answers.compactMap { answer in
            let text = String(describing: answer)
            return text.contains(Case.secret) ? "an answer has the secret in it: \(escaped(Array(text.utf8)))" : nil
        }
    }
}

private final class Collected: Sendable {
    private let answers = Mutex<[AlertAnswer]>([])

    func add(_ answer: AlertAnswer) { answers.withLock { $0.append(answer) } }

    func takeAll() -> [AlertAnswer] {
        answers.withLock { answers in
            defer { answers = [] }
            return answers
        }
    }
}
