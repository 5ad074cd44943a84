package import Health
internal import Synchronization

/// A life before, and other settings.
extension Alerter {
    /// Under this a webhook was told: whoever was not has to hear of what fires already.
    private static let told = StoredDocument.ID(kind: "webhooks", key: "told")

    /// What an earlier life remembered, and the judges that are remembered with it.
    ///
    /// - Parameter patience: how long the first look at a target is waited for, before what fires is said again.
    package func restore(
        _ documents: [StoredDocument.ID: String], judges: [TargetIdentity: Judge], at now: ContinuousClock.Instant,
        wall: Timestamp, patience: (TargetIdentity) -> Duration = { _ in .zero }
    ) {
        state.withLock { state in
            take(documents, &state, at: now, wall: wall)
            let expired = state.setAside.expire(at: wall)
            if !expired.isEmpty { _ = memory.persist(expired) }
            let over = state.book.reconcile(judges, at: wall, now, patience: patience)
            if !over.isEmpty { take(over, &state, ticket: memory.persist(over.map(document))) }
            let told = documents[Self.told].flatMap { Text.value([String].self, $0) }
            // An earlier version didn't say: then its groups are told to all, under the ids they had.
            apply(webhooks: told ?? [], &state, at: now, wall: wall)
        }
    }

    private func take(
        _ documents: [StoredDocument.ID: String], _ state: inout State, at now: ContinuousClock.Instant, wall: Timestamp
    ) {
        var windows: [(id: String, end: Timestamp)] = []
        for (id, text) in documents.sorted(by: { $0.key.key < $1.key.key }) {
            switch id.kind {
            case "alert":
                guard let alert = Text.value(Alert.self, text) else { continue }
                state.book.restore(alert)
                // An earlier version wrote another key.
                let document = document(alert)
                if document.id != id { _ = memory.persist([StoredDocument(forgetting: id.kind, key: id.key), document]) }
            case "group": if let group = Text.value(AlertGroup.self, text) { state.groups.restore(group, at: now) }
            case Self.windowKind: if let end = Int64(text) { windows.append((id.key, Timestamp(milliseconds: end))) }
            case "message":
                if let message = Text.value(Outbox.Message.self, text) { state.outbox.restore(key: id.key, message) }
            case SetAside.kind:
                if let message = Text.value(SetAside.Message.self, text) { state.setAside.restore(key: id.key, message) }
            default: break
            }
        }
        for (id, end) in windows { state.groups.restore(window: id, ending: now.advanced(by: end - wall), at: now) }
        state.windows = state.groups.windows
    }

    /// Of documents that say when a window of groups ends: a daemon that restarts oftener than that would never tell otherwise.
    private static let windowKind = "window"

    /// Remembers what has changed of the windows.
    func persistWindows(_ state: inout State, at now: ContinuousClock.Instant, wall: Timestamp) {
        guard state.windows != state.groups.windows else { return }
        let (old, new) = (state.windows, state.groups.windows)
        state.windows = new
        let begun = new.filter { old[$0.key] != $0.value }.map { windowDocument($0.key, $0.value, at: now, wall: wall) }
        let over = old.keys.filter { new[$0] == nil }.map { StoredDocument(forgetting: Self.windowKind, key: $0) }
        _ = memory.persist(begun + over)
    }

    private func windowDocument(_ id: String, _ end: ContinuousClock.Instant, at now: ContinuousClock.Instant, wall: Timestamp)
        -> StoredDocument
    {
        StoredDocument(kind: Self.windowKind, key: id, text: "\((wall + now.duration(to: end)).milliseconds)")
    }

    /// Takes new settings. Alerts that fire go on.
    package func replace(_ options: AlertingOptions, at now: ContinuousClock.Instant, wall moment: Timestamp) {
        state.withLock { state in
            let told = state.options.webhooks.map(\.id)
            state.options = options
            let over = state.book.configure(options, at: moment)
            if !over.isEmpty { take(over, &state, ticket: memory.persist(over.map(document))) }
            state.groups.window = options.groupWindow
            let known = Dictionary(state.feeds.map { ($0.url, $0) }) { first, _ in first }
            state.feeds = options.alertmanagers.map { known[$0] ?? AlertmanagerFeed(url: $0) }
            apply(webhooks: told, &state, at: now, wall: moment)
        }
    }

    /// Targets whose status may be a matter of alerts by new settings, though nothing of them changed.
    package func expect(_ targets: [TargetIdentity]) { state.withLock { $0.book.expect(targets) } }

    /// Those that a crash kept from their groups, or that began before there was a webhook.
    func reconcileGroups(_ state: inout State, at now: ContinuousClock.Instant, wall: Timestamp) {
        // What isn't durable yet comes by itself.
        var coming = Set(state.fresh.flatMap { $0.changes.map(\.key) })
        for alert in state.book.alerts.values where state.book.isHidden(alert) { coming.insert(alert.key) }
        state.groups.awaitsEarlier = state.book.awaitsLooks
        let settled = state.book.alerts.filter { !coming.contains($0.key) }
        let isHeard = !state.options.webhooks.isEmpty
        let messages = state.groups.reconcile(settled, except: coming, canBegin: isHeard, at: now, wall: wall)
        for message in messages { post(message, &state, at: now, wall: wall) }
        persistWindows(&state, at: now, wall: wall)
    }

    /// A webhook that is new hears of every group that goes on. One whose URL has changed also gets what waited for it.
    ///
    /// - Parameter told: the webhooks until now, in the order of the configuration.
    private func apply(webhooks told: [String], _ state: inout State, at now: ContinuousClock.Instant, wall: Timestamp) {
        let webhooks = state.options.webhooks.map(\.id)
        guard webhooks != told else { return reconcileGroups(&state, at: now, wall: wall) }
        for (old, new) in zip(told, webhooks) where !webhooks.contains(old) && !told.contains(new) {
            state.outbox.move(from: old, to: new, at: now, persist: memory.persist)
        }
        let forgotten = state.outbox.keep(Set(webhooks))
        // Before anybody new hears of groups: what they hear is what is so by now.
        reconcileGroups(&state, at: now, wall: wall)
        let groups = state.groups.groups.values.sorted { $0.id < $1.id }
        let new = webhooks.filter { !told.contains($0) }
        for group in groups where !new.isEmpty {
            let message = GroupMessage(kind: .firing, group: group)
            post(message, to: new.filter { !state.outbox.holds(message.id, for: $0) }, &state, at: now, wall: wall)
        }
        _ = memory.persist(
            forgotten + [StoredDocument(kind: Self.told.kind, key: Self.told.key, text: Text.json(webhooks))])
    }

    /// Everything once more, for a database that has begun anew.
    package func persistAgain(at now: ContinuousClock.Instant, wall: Timestamp) {
        state.withLock { state in
            let alerts = state.book.alerts.values.map(document), groups = state.groups.groups.values.map(document)
            let webhooks = state.options.webhooks.map(\.id)
            let told = StoredDocument(kind: Self.told.kind, key: Self.told.key, text: Text.json(webhooks))
            let windows = state.windows.map { windowDocument($0.key, $0.value, at: now, wall: wall) }
            _ = memory.persist(alerts + groups + windows + state.outbox.documents + state.setAside.documents + [told])
        }
    }
}
