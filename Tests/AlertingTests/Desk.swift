import Health
import Synchronization

@testable import Alerting

/// An alerter with a shelf for a database, and jobs that are carried out by hand.
struct Desk {
    let shelf: Shelf
    let alerter: Alerter
    let events = Events()
    var now: ContinuousClock.Instant
    var wall: Timestamp
    private var office = Office()

    final class Events: Sendable {
        let all = Mutex<[AlertingEvent]>([])
        /// Called at each event, too.
        let listener = Mutex<(@Sendable (AlertingEvent) -> Void)?>(nil)
    }

    func onEvent(_ body: @escaping @Sendable (AlertingEvent) -> Void) { events.listener.withLock { $0 = body } }

    init(
        alertmanagers: [String] = [], webhooks: [String] = [], shelf: Shelf = Shelf(), at now: ContinuousClock.Instant = .now,
        wall: Timestamp = Timestamp(milliseconds: 1_700_000_000_000)
    ) {
        (self.now, self.wall) = (now, wall)
        var options = AlertingOptions(vantage: "here", link: "http://127.0.0.1:10115/")
        for url in alertmanagers { options.add(alertmanager: url) }
        for (index, url) in webhooks.enumerated() {
            options.add(.init(url: .plain(url), secret: Secret("key"), position: index + 1))
        }
        self.shelf = shelf
        let events = events
        alerter = Alerter(options, memory: shelf.memory, inMaintenance: { [] }) { event in
            events.all.withLock { $0.append(event) }
            events.listener.withLock(\.self)?(event)
        }
        office.now = now
        office.wall = wall
        // A new life takes what the shelf has, with whatever judges a test gives it.
        if shelf.state.withLock({ $0.documents.isEmpty }) { alerter.restore([:], judges: [:], at: now, wall: wall) }
    }

    mutating func see(_ letters: String, _ key: String = "a", host: String? = nil) {
        office.hosts[key] = host
        for letter in letters {
            pass(5)
            _ = alerter.apply(office.report(letter, key), at: now) { [shelf] in shelf.memory.persist($0) }
        }
    }

    /// A life after this one, with what this one had on its shelf.
    ///
    /// - Parameters:
    ///   - down: the targets that its judges hold for down.
    ///   - away: for so many seconds.
    ///   - patience: as the daemon has it: the interval of each.
    func next(
        alertmanagers: [String] = [], webhooks: [String] = [], down: [String], away: Int = 0, patience: Duration = .zero
    ) -> Desk {
        var next = Desk(
            alertmanagers: alertmanagers, webhooks: webhooks, shelf: shelf, at: now.advanced(by: .seconds(away)),
            wall: wall + .seconds(away))
        for key in down { next.office.judges[key] = Judge(status: .down) }
        next.alerter.restore(
            shelf.state.withLock(\.documents),
            judges: Dictionary(uniqueKeysWithValues: down.map { (Office.identity($0), Judge(status: .down)) }), at: next.now,
            wall: next.wall, patience: { _ in patience })
        return next
    }

    /// As after a reload.
    func configure(webhooks: [String]) {
        var options = AlertingOptions(vantage: "here", link: "")
        for (index, url) in webhooks.enumerated() { options.add(.init(url: .plain(url), secret: nil, position: index + 1)) }
        alerter.replace(options, at: now, wall: wall)
    }

    /// Lets everything that is due be written and sent. Returns the ids and kinds of the messages, by URL.
    mutating func settle() async -> [String: [String]] {
        var heard: [String: [String]] = [:]
        for _ in 0..<6 {
            pass(5)
            for (url, body, headers) in await send() {
                let kind = body.split(separator: "\"kind\":\"").last?.split(separator: "\"").first ?? ""
                heard[url, default: []].append("\(headers["X-Rangefinder-Message"]?.split(separator: "-").last ?? "") \(kind)")
            }
            shelf.commit()
        }
        return heard
    }

    mutating func pass(_ seconds: Int) {
        (now, wall) = (now.advanced(by: .seconds(seconds)), wall + .seconds(seconds))
        office.pass(seconds)
    }

    /// Carries out what is due. Returns each request as its URL and its body.
    func send(_ answer: AlertAnswer = .taken) async -> [(url: String, body: String, headers: [String: String])] {
        let sent = Mutex<[(url: String, body: String, headers: [String: String])]>([])
        for job in alerter.due(at: now, wall: wall) {
            let got = await Alerter.carryOut(job) { request in
                sent.withLock { all in
                    all.append(
                        (
                            request.url.revealed, String(decoding: request.body ?? [], as: UTF8.self),
                            Dictionary(uniqueKeysWithValues: request.headers.map { ($0.name, $0.value) })
                        ))
                }
                return answer
            }
            alerter.done(job, got, at: now, wall: wall)
        }
        return sent.withLock(\.self)
    }
}
