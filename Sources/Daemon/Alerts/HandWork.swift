import Dispatch
import Health
import History
import Logging
import Settings
import Web

/// What somebody does by hand while the daemon runs: notes on incidents, and maintenance windows.
struct HandWork: Sendable {
    let reconciler: TargetReconciler
    let history: History
    let readers: HistoryReaders
    let logger: Logger

    /// The windows of an earlier life that aren't over.
    static func restore(_ documents: [StoredDocument.ID: String], to reconciler: TargetReconciler) {
        reconciler.restore(documents.compactMap { AdHocWindow($0.key, $0.value) }.sorted { $0.id < $1.id })
    }

    /// Answers once the database has it.
    func carryOut(_ request: HandRequest) async -> WebServer.ActionResult {
        // It reads from a disk, and looks at each target.
        let result = await DispatchQueue.global(qos: .utility).run {
            switch request {
            case .begin(let maintenance): begin(maintenance)
            case .end(let window): end(window: window)
            case .note(let note): self.note(note)
            }
        }
        guard case .done(let text) = result, await !history.flush() else { return result }
        return .failed(
            "\(text)\nit is not in the history yet, which can't be written just now: it is lost if the daemon ends before it can")
    }

    private func begin(_ request: HandRequest.Maintenance) -> WebServer.ActionResult {
        let match: Match
        do throws(Match.WordProblem) { match = try Match(words: request.match) } catch { return .refused(error.sentence) }
        guard let length = parseDuration(request.length), length >= .seconds(60), length <= AdHocWindow.longest else {
            return .refused("'\(displayText(request.length, limit: 40))' is no length from 1m to 31d, such as 2h")
        }
        guard request.note.unicodeScalars.count <= AdHocWindow.noteMax else {
            return .refused("the note is longer than \(AdHocWindow.noteMax) characters")
        }
        let now = Timestamp.now()
        let asked = AdHocWindow(
            id: 0, words: request.match.filter { !$0.isEmpty }, from: now, to: now + length, note: request.note)
        guard let (window, targets) = reconciler.begin(asked, match) else {
            return .refused(
                "\(WindowsByHand.openMax) windows are open already; `rangefinder maintenance list` prints them, and "
                    + "`rangefinder maintenance end ID` ends one")
        }
        logger.notice(
            "a maintenance window began by hand",
            metadata: [
                "window": "\(window.id)", "match": "\(window.shownMatch)", "targets": "\(targets)", "until": "\(window.to)",
            ])
        return .done(
            "window \(window.id) is open until \(window.to), for \(counted(targets, "target")) (\(window.shownMatch)); "
                + "to end it: rangefinder maintenance end \(window.id)")
    }

    private func end(window id: Int) -> WebServer.ActionResult {
        guard reconciler.end(window: id) else {
            return .refused("there is no open window \(id); `rangefinder maintenance list` prints those that there are")
        }
        logger.notice("a maintenance window was ended by hand", metadata: ["window": "\(id)"])
        return .done("window \(id) is ended")
    }

    private func note(_ request: HandRequest.Note) -> WebServer.ActionResult {
        let text = request.text.replacing("\r\n", with: "\n")
        guard text.contains(where: { !$0.isWhitespace }) else { return .refused("the note is empty") }
        guard text.unicodeScalars.count <= NoteRow.textMax else {
            return .refused("the note is longer than \(NoteRow.textMax) characters")
        }
        let detail: IncidentDetail?
        do throws(HistoryError) {
            detail = try readers.read { reader throws(HistoryError) in try reader.incident(request.incident) }
        } catch { return .failed("the history can't be read: \(error)") }
        guard let detail else { return .refused("there is no incident \(request.incident)") }
        guard detail.notes.count < NoteRow.countMax else {
            return .refused("incident \(request.incident) has \(NoteRow.countMax) notes already")
        }
        let note = NoteRow(at: .now(), text: text, isPublic: request.isPublic)
        history.append(
            IncidentNote(target: detail.row.incident.target, startedAt: detail.row.incident.startedAt, .noted(note)))
        return .done("noted on incident \(request.incident), \(displayText(detail.row.name))")
    }
}
