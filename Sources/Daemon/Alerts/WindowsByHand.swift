import Health
import History

/// The maintenance windows that somebody began by hand: those that are open, and for a day those that are over. What it returns is to be kept in the
/// database.
struct WindowsByHand: Sendable {
    static let openMax = 100
    /// With those that are over. Each is held against each target when the list changes.
    private static let keptMax = 200

    private(set) var windows: [AdHocWindow]

    init(_ windows: [AdHocWindow] = []) { self.windows = windows }

    func open(at now: Timestamp) -> [AdHocWindow] { windows.filter { $0.to > now } }

    /// Gives it a number. nil when too many are open.
    mutating func begin(_ window: AdHocWindow) -> (window: AdHocWindow, documents: [StoredDocument])? {
        guard open(at: window.from).count < Self.openMax else { return nil }
        var window = window
        window.id = (windows.map(\.id).max() ?? 0) + 1
        windows.append(window)
        var documents = [window.document]
        while windows.count > Self.keptMax, let oldest = windows.firstIndex(where: { $0.to <= window.from }) {
            documents.append(windows.remove(at: oldest).forgetting)
        }
        return (window, documents)
    }

    /// nil when none with this number is open.
    mutating func end(_ id: Int, at now: Timestamp) -> [StoredDocument]? {
        guard let place = windows.firstIndex(where: { $0.id == id && $0.to > now }) else { return nil }
        // The wall clock may have been set back since it began.
        windows[place].to = max(windows[place].from, now)
        return [windows[place].document]
    }

    /// Those that have been over for long.
    mutating func forgetOld(at now: Timestamp) -> [StoredDocument] {
        let longAgo = now + (.zero - AdHocWindow.keptAfterEnd)
        defer { windows.removeAll { $0.to <= longAgo } }
        return windows.filter { $0.to <= longAgo }.map(\.forgetting)
    }

    /// All that a database which begins anew has to know.
    var documents: [StoredDocument] { windows.map(\.document) }
}
