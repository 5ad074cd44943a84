package import Health

/// One judged probe: the measurement, the judgement, and the judge's state after it.
package struct HistoryRecord: Sendable {
    package var result: ProbeResult
    package var judgement: Judgement
    /// nil when nothing in it has changed since the record before, except the time at which it last counted: only changes are written.
    package var judge: Judge?
    /// How often the target is probed.
    package var interval: Duration
    /// Whether the target was in a maintenance window.
    package var isInMaintenance: Bool
    /// What is to be kept with the target's incident.
    package var incidentNotes: [IncidentNote]

    package init(
        result: ProbeResult, judgement: Judgement, judge: Judge?, interval: Duration, isInMaintenance: Bool = false,
        incidentNotes: [IncidentNote] = []
    ) {
        self.result = result
        self.judgement = judgement
        self.judge = judge
        self.interval = interval
        self.isInMaintenance = isInMaintenance
        self.incidentNotes = incidentNotes
    }
}

/// The part of a record that goes into its row: a fifth of the record's size, because two hundred thousand rows may have to wait.
struct ResultRow: Sendable {
    var target: TargetIdentity
    var startedAt: Timestamp
    var outcome: Outcome
    var void: VoidCause?
    var status: Status
    var httpStatus: Int?
    var address: String?
    var duration: Duration
    var lateness: Duration
    var phases: Phases
    var interval: Duration
    var isInMaintenance: Bool

    init(_ record: HistoryRecord) {
        let result = record.result
        target = result.target
        startedAt = result.startedAt
        outcome = record.judgement.outcome
        void = result.void
        status = record.judgement.status
        httpStatus = result.facts.httpStatus
        address = result.facts.address
        duration = result.duration
        lateness = result.lateness
        phases = result.phases
        interval = record.interval
        isInMaintenance = record.isInMaintenance
    }
}

/// Everything that waits for a commit: rows in their order, and of each state only the latest.
struct Batch: Sendable {
    /// The latest state of one target's judge.
    struct JudgeChange: Sendable {
        /// The target was removed meanwhile: the row in the database belongs to its earlier life.
        var startsAnew = false
        /// nil: the target is gone.
        var judge: Judge?
        /// When the status became what it is, if that was in this batch.
        var since: Timestamp?
    }

    private(set) var rows: BoundedQueue<ResultRow>
    private(set) var transitions: BoundedQueue<Transition>
    private(set) var closedIncidents: BoundedQueue<Incident>
    private(set) var incidentNotes: [IncidentNote] = []
    private(set) var judges: [TargetIdentity: JudgeChange] = [:]
    private(set) var lists: [String: [Target]] = [:]
    /// Targets of lists that were replaced before they were written: the names of their results.
    private(set) var departed: [TargetIdentity: Target] = [:]
    /// Clients that are no longer configured.
    private(set) var forgottenClients: Set<String> = []
    /// The latest text of each document; nil when it is deleted.
    private(set) var documents: [StoredDocument.ID: (@Sendable () -> String)?] = [:]
    /// The ticket of the last document that came in.
    private(set) var ticket = 0
    var dropped = 0

    init(limit: Int) {
        rows = BoundedQueue(limit: limit)
        transitions = BoundedQueue(limit: limit)
        closedIncidents = BoundedQueue(limit: limit)
    }

    /// Past so many notes evidence waits without its headers and its body, each of which may be 3 KiB. When everything fails at once, there are
    /// some for each target.
    private static let wholeNotesMax = 4096
    /// Past so many, no evidence waits any more.
    private static let notesMax = 65_536

    var isEmpty: Bool {
        rows.isEmpty && closedIncidents.isEmpty && incidentNotes.isEmpty && judges.isEmpty && lists.isEmpty
            && forgottenClients.isEmpty
            && documents.isEmpty
    }

    mutating func append(_ record: HistoryRecord) {
        dropped += rows.append(ResultRow(record))
        // A transition is dropped long after its row, and the row was counted.
        if let transition = record.judgement.transition { _ = transitions.append(transition) }
        if case .closed(let incident)? = record.judgement.incident { dropped += closedIncidents.append(incident) }
        for note in record.incidentNotes { append(note) }
        guard let judge = record.judge else { return }
        var change = judges[record.result.target] ?? JudgeChange()
        change.judge = judge
        change.since = record.judgement.transition?.at ?? change.since
        judges[record.result.target] = change
    }

    /// When an incident was confirmed and what somebody noted on it is small, and is never dropped. Evidence is no result: nobody is told when
    /// it is.
    mutating func append(_ note: IncidentNote) {
        guard case .evidence(let kind, var evidence) = note.change, incidentNotes.count >= Self.wholeNotesMax else {
            incidentNotes.append(note)
            return
        }
        guard incidentNotes.count < Self.notesMax else { return }
        (evidence.headers, evidence.body) = (nil, nil)
        incidentNotes.append(IncidentNote(target: note.target, startedAt: note.startedAt, .evidence(kind, evidence)))
    }

    mutating func append(_ documents: [StoredDocument], ticket: Int) {
        for document in documents { self.documents[document.id] = .some(document.text) }
        self.ticket = ticket
    }

    mutating func forget(_ target: TargetIdentity, closing incident: Incident?) {
        if let incident { dropped += closedIncidents.append(incident) }
        judges[target] = JudgeChange(startsAnew: true)
    }

    mutating func persist(_ list: [Target], client: String) {
        if let waiting = lists[client] {
            let kept = Set(list.map(\.identity))
            for target in waiting where !kept.contains(target.identity) { departed[target.identity] = target }
        }
        lists[client] = list
        forgottenClients.remove(client)
    }

    mutating func forget(client: String) {
        for target in lists.removeValue(forKey: client) ?? [] { departed[target.identity] = target }
        forgottenClients.insert(client)
    }

    /// Adds a batch that came later.
    mutating func append(_ later: Batch) {
        if isEmpty, dropped == 0, departed.isEmpty {
            self = later
            return
        }
        dropped += later.dropped
        dropped += rows.append(later.rows)
        _ = transitions.append(later.transitions)
        dropped += closedIncidents.append(later.closedIncidents)
        for note in later.incidentNotes { append(note) }
        judges.merge(later.judges) { earlier, later in
            if later.startsAnew { return later }
            return JudgeChange(startsAnew: earlier.startsAnew, judge: later.judge, since: later.since ?? earlier.since)
        }
        departed.merge(later.departed) { _, later in later }
        documents.merge(later.documents) { _, later in later }
        ticket = max(ticket, later.ticket)
        for client in later.forgottenClients { forget(client: client) }
        for (client, list) in later.lists { persist(list, client: client) }
    }
}
