import Glibc
import Health
import LockOrder
import Logging
import Settings
import Synchronization
import Web

/// Keeps TLS and the passwords of the listener as the web configuration says, also when one of its files changes: certificates are renewed
/// while nobody looks.
final class WebAccess: Sendable {
    /// What tells one state of a file from another.
    private struct Stamp: Hashable {
        var inode: UInt64 = 0
        var size: Int64 = 0
        /// Of the content, and of the permissions: a file may be made readable after it was written.
        var times: [Int] = []

        init(_ path: String) {
            var facts = stat()
            guard stat(path, &facts) == 0 else { return }
            (inode, size) = (UInt64(facts.st_ino), Int64(facts.st_size))
            times = [facts.st_mtim, facts.st_ctim].flatMap { [$0.tv_sec, $0.tv_nsec] }
        }
    }

    private struct State {
        var path: String?
        var stamps: [String: Stamp] = [:]
    }

    private struct Openness {
        var bound: WebServer.Bound?
        var isSaid = false
    }

    private static let looksEvery: Duration = .seconds(2)

    let security = WebSecurity()
    private let surroundings: ProcessEnvironment
    private let state = Mutex(State())
    private let openness = Mutex(Openness())
    /// Rings when a file may have been taken that is to be watched.
    private let alarm = Alarm()

    /// - Parameter path: as ``take(_:accept:)`` has it.
    /// - Throws: ``ListenFailure`` when the file can't be taken.
    init(_ surroundings: ProcessEnvironment, _ path: String?) throws {
        self.surroundings = surroundings
        let troubles = take(path).troubles
        guard troubles.isEmpty else { throw ListenFailure(description: troubles.joined(separator: "; ")) }
    }

    /// What is wrong with a file; nothing when it was taken.
    struct Taking {
        var troubles: [String] = []
        /// All that is wrong is that it has lost its TLS or its passwords.
        var canBeAccepted = false
    }

    /// Takes the file that the configuration names; nil: neither TLS nor passwords. Not twice at the same time, nor with ``look(_:)``.
    ///
    /// - Parameter accept: also a file that has lost its TLS or its passwords: one that was emptied or cut off would open the listener.
    /// - Returns: what is wrong with it; then everything stays as it was.
    func take(_ path: String?, accept: Bool = false) -> Taking {
        defer { alarm.ring() }
        guard let path else {
            state.withLock { $0 = State() }
            return Taking(troubles: replace(WebConfiguration()))
        }
        let before = state.withLock(\.self)
        let taking = read(path, accept: accept)
        // What is in force goes on to be watched, and not another file that was refused.
        if !taking.troubles.isEmpty, let known = before.path, known != path { state.withLock { $0 = before } }
        return taking
    }

    private func read(_ path: String, accept: Bool) -> Taking {
        // Also those of a reading that fails: it is read again when one of them changes, and not before. Stamped before they are read, so
        // that what changes meanwhile is a change.
        state.withLock { $0 = State(path: path) }
        var watched = surroundings
        watched.readFile = { [self] file, limit throws(FileProblem) in
            state.withLock { $0.stamps[file] = Stamp(file) }
            return try surroundings.readFile(file, limit)
        }
        let reading = WebConfiguration.load(path: path, surroundings: watched)
        guard let configuration = reading.configuration else {
            return Taking(troubles: reading.diagnostics.map { $0.text(file: path) })
        }
        let lost =
            (security.hasTLS && configuration.tls == nil ? ["no TLS"] : [])
            + (security.hasUsers && configuration.users.isEmpty ? ["no passwords"] : [])
        guard accept || lost.isEmpty else {
            return Taking(
                troubles: ["\(displayText(path)) has \(lost.joined(separator: " and ")) any more"], canBeAccepted: true)
        }
        return Taking(troubles: replace(configuration))
    }

    private func replace(_ configuration: WebConfiguration) -> [String] {
        do {
            try security.replace(WebSecurity.Wanted(configuration))
            return []
        } catch {
            return ["TLS can't be set up as the web configuration says: \(displayText("\(error)"))"]
        }
    }

    func listens(at bound: WebServer.Bound) { openness.withLock { $0.bound = bound } }

    /// Says that strangers can read what is served, once each time it becomes so.
    func sayIfOpen(_ logger: Logger) {
        let isOpen = security.isOpen
        let news = openness.withLock { openness -> WebServer.Bound? in
            guard isOpen, let bound = openness.bound, !bound.isLocal else {
                openness.isSaid = false
                return nil
            }
            defer { openness.isSaid = true }
            return openness.isSaid ? nil : bound
        }
        guard let news else { return }
        logger.warning(
            "it listens on \(news) without TLS or passwords: whoever reaches that reads targets and metrics; set web_config_file")
    }

    /// Until the task is cancelled.
    func reloadOnChange(_ turns: AsyncSerialQueue, _ logger: Logger) async {
        while !Task.isCancelled {
            let isWatching = state.withLock { $0.path != nil }
            await alarm.sleep(until: isWatching ? .now.advanced(by: Self.looksEvery) : nil, clock: ContinuousClock())
            guard isWatching, !Task.isCancelled else { continue }
            await turns.take {
                self.check(logger)
                self.sayIfOpen(logger)
            }
        }
    }

    /// Reads it again if one of its files has changed.
    func check(_ logger: Logger) {
        let (path, isChanged) = state.withLock { state in (state.path, state.stamps.contains { Stamp($0) != $1 }) }
        guard isChanged, let path else { return }
        let taking = take(path)
        for trouble in taking.troubles { logger.error("web_config_file: \(trouble)") }
        if taking.troubles.isEmpty {
            logger.notice("the web configuration has changed and was read again")
        } else {
            let hint = taking.canBeAccepted ? "; if this is meant, `rangefinder reload --accept` takes it" : ""
            logger.error("the listener goes on with the web configuration it had\(hint)")
        }
    }
}

extension WebSecurity.Wanted {
    init(_ web: WebConfiguration) {
        self.init()
        (headers, users) = (web.headers, web.users)
        guard let section = web.tls else { return }
        var tls = TLS(certificateChain: section.certificateChain, privateKey: section.privateKey)
        if section.clients != .none {
            tls.clients = .init(authorities: section.clientAuthorities, isRequired: section.clients == .requireAndVerify)
        }
        (tls.is13Least, tls.is12Most) = (section.least == .tls13, section.most == .tls12)
        tls.cipherSuites = section.cipherSuites.map(\.number)
        tls.curves = section.curves.map(\.number)
        self.tls = tls
    }
}
