import Dispatch
import Health
import History
import LockOrder
import Logging
import Pages
import Settings
import Web

/// Makes the documents of the pages out of what the daemon knows.
struct PageMaker: Sendable {
    let index: PageIndex
    let readers: HistoryReaders
    let renderer: PageRenderer
    let facts: PageFacts
    let banners: BannerCache
    let history: History
    let vantage: String
    let version: String
    /// nil without `admin: true`: then there are no forms.
    let formToken: String?
    let isSample: Bool
    let windows: @Sendable () -> [AdHocWindow]
    /// How people reach the pages, ended by a slash.
    let base: @Sendable () -> String
    let logger: Logger
    private let shared = SharedViews()
    /// A page reads from a disk, which the threads of the tasks must not wait for. ``Web`` bounds how many are made at once.
    private let queue = DispatchQueue(label: "pages", qos: .utility, attributes: .concurrent)

    var source: PageSource {
        PageSource(
            version: { await shownVersion() }, document: { await document($0, $1) },
            notice: { title, sentence in await notice(title, sentence) }, asset: { [renderer] in renderer.assets.file(at: $0) })
    }

    /// Another number whenever a page may show something else: with results, banners and commits, and with the hour.
    private func shownVersion() async -> Int {
        let banners = await banners.current()
        return await queue.run { [self] in
            var hasher = Hasher()
            hasher.combine(index.snapshot().version)
            hasher.combine(banners)
            hasher.combine(history.statistics.samples)
            hasher.combine(history.statistics.ticket)
            hasher.combine(windows())
            hasher.combine(Timestamp.now().milliseconds.flooredQuotient(by: 3_600_000))
            return hasher.finalize()
        }
    }

    /// What comes with every page, and what has to be waited for.
    private struct Surroundings: Sendable {
        var banners: [Banner]
        var daemon: DaemonFacts?
    }

    private func document(_ address: PageAddress, _ request: PageRequest) async -> PageAnswer {
        var surroundings = Surroundings(banners: await banners.current())
        if address == .daemon { surroundings.daemon = await facts.daemon() }
        return await queue.run { [self, surroundings] in
            do { return try make(address, request, surroundings).map { .made($0) } ?? .absent } catch {
                logger.error("a page could not be made: \(displayText("\(error)"))")
                return .failed("the history can't be read just now; the daemon's log says why")
            }
        }
    }

    private func frame(
        _ section: PageFrame.Section?, _ title: String, _ worst: Status, _ request: PageRequest, _ banners: [Banner]
    ) -> PageFrame {
        PageFrame(
            section: section, title: title, worst: worst, banners: banners, vantage: vantage, version: version, asOf: .now(),
            path: request.path, query: request.query, refreshSeconds: request.refreshSeconds, formToken: formToken,
            isSample: isSample)
    }

    /// A page that says why there is none.
    private func notice(_ title: String, _ sentence: String) async -> PageDocument? {
        let request = PageRequest(path: "/", query: "", isTwin: false, refreshSeconds: nil)
        let frame = frame(nil, title, .unknown, request, await banners.current())
        return NoticePage(title: title, sentence: sentence).document(renderer, frame)
    }

    /// nil when there is no such target or incident.
    private func make(_ address: PageAddress, _ request: PageRequest, _ surroundings: Surroundings) throws -> PageDocument? {
        let (snapshot, now, twin) = (index.snapshot(), Timestamp.now(), request.isTwin)
        let counts = snapshot.index.counts
        func frame(_ section: PageFrame.Section?, _ title: String, _ worst: Status) -> PageFrame {
            self.frame(section, title, worst, request, surroundings.banners)
        }
        switch address {
        case .overview:
            let page = shared.overview(snapshot)
            return try page.document(renderer, frame(.now, page.title, page.worst), isTwin: twin)
        case .wall:
            let page = WallPage(shared.overview(snapshot))
            return try page.document(renderer, frame(nil, page.title, page.worst), isTwin: twin)
        case .targets(let query):
            let page = TargetListPage(query, snapshot.index, snapshot.days, p95: snapshot.p95(slot:))
            return try page.document(renderer, frame(.targets, page.title, page.worst), isTwin: twin)
        case .target(let identity, let window):
            guard let found = try facts.target(identity, window, snapshot, at: now) else { return nil }
            let page = TargetPage(found, snapshot.index, windows: windows().map(OpenWindow.init))
            return try page.document(renderer, frame(.targets, page.title, page.worst), isTwin: twin)
        case .incidents(let query):
            let (entries, open) = try facts.incidents(query)
            let page = IncidentListPage(query, entries, open: open, counts: counts, choices: snapshot.index.groups.choices)
            return try page.document(renderer, frame(.incidents, page.title, page.worst), isTwin: twin)
        case .incident(let id):
            guard let (found, company) = try facts.incident(id) else { return nil }
            let page = IncidentPage(found, company: company, snapshot.index, windows: windows().map(OpenWindow.init))
            return try page.document(renderer, frame(.incidents, page.title, page.worst), isTwin: twin)
        case .certificates:
            let page = CertificatesPage(
                shared.certificates(snapshot), total: snapshot.certificates.count, counts: counts,
                soonDays: facts.settings().probe.certificateDays, now: now)
            return try page.document(renderer, frame(.certificates, page.title, page.worst), isTwin: twin)
        case .daemon:
            let page = DaemonPage(surroundings.daemon ?? DaemonFacts(), counts: counts)
            return try page.document(renderer, frame(.daemon, page.title, page.worst), isTwin: twin)
        case .feed:
            let incidents = try readers.read { reader throws(HistoryError) in
                try reader.newestDetails(limit: IncidentFeed.entriesMax)
            }
            let feed = IncidentFeed(incidents.map { IncidentFacts($0) }, base: base(), vantage: vantage)
            return try feed.document(asOf: now, isTwin: twin)
        }
    }
}

/// What is made of all targets at once: made once of a copy, and used by all pages of this copy.
private final class SharedViews: Sendable {
    private struct State {
        var overview: (version: UInt64, page: OverviewPage)?
        var certificates: (version: UInt64, entries: [CertificateEntry])?
    }

    private let state = OrderedMutex(State())

    func overview(_ snapshot: PageIndex.Snapshot) -> OverviewPage {
        if let known = state.withLock({ $0.overview }), known.version == snapshot.version { return known.page }
        let page = OverviewPage(snapshot.index, snapshot.certificates)
        state.withLock { $0.overview = (snapshot.version, page) }
        return page
    }

    func certificates(_ snapshot: PageIndex.Snapshot) -> [CertificateEntry] {
        if let known = state.withLock({ $0.certificates }), known.version == snapshot.version { return known.entries }
        let entries = snapshot.certificates.first(CertificatesPage.rowsMax, of: snapshot.index)
        state.withLock { $0.certificates = (snapshot.version, entries) }
        return entries
    }
}

extension OpenWindow {
    fileprivate init(_ window: AdHocWindow) {
        self.init(id: window.id, match: window.shownMatch, until: window.to, note: window.note)
    }
}
