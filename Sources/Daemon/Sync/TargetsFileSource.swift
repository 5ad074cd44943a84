import Dispatch
import Health
import Settings
import TargetsAPI

/// The list of a daemon that watches a file (`targets_file`).
final class TargetsFileSource: ListSource {
    let clientID = WatchedFile.clientID
    let name = "the targets file"
    /// A mistake stays until somebody changes the file, and a change is told.
    let isWorthAskingAgain = false
    private let path: String
    private let settings: Settings
    private let surroundings: ProcessEnvironment
    private let willRead: @Sendable () -> Void

    /// nil where the settings name no file.
    ///
    /// - Parameter willRead: called before each reading.
    init?(_ settings: Settings, _ surroundings: ProcessEnvironment, willRead: @escaping @Sendable () -> Void) {
        guard let path = settings.targetsFile else { return nil }
        (self.path, self.settings, self.surroundings, self.willRead) = (path, settings, surroundings, willRead)
    }

    func list(unless known: AnswerFingerprint?, like targets: [Target]) async throws(APIError) -> ListAnswer {
        let result = await withCheckedContinuation { continuation in
            // A disk is slow, and may be one of a network.
            DispatchQueue.global(qos: .utility).async {
                continuation.resume(returning: Result { () throws(APIError) in try self.read(known) })
            }
        }
        return try result.get()
    }

    private func read(_ known: AnswerFingerprint?) throws(APIError) -> ListAnswer {
        willRead()
        let (before, bytes) = (FileForm(path), try contents())
        guard before == FileForm(path) else {
            throw APIError(.fileUnusable, "targets_file \(displayText(path)) is being written")
        }
        let fingerprint = AnswerFingerprint(of: bytes)
        return known == fingerprint ? .unchanged : .list(TargetList(targets: try file(bytes).targets), fingerprint)
    }

    private func contents() throws(APIError) -> [UInt8] {
        do throws(FileProblem) { return try surroundings.readFile(path, TargetsFile.sizeLimit) } catch {
            throw APIError(.fileUnusable, "targets_file \(displayText(path)) can't be read: \(error.sentence)")
        }
    }

    private func file(_ bytes: [UInt8]) throws(APIError) -> WatchedFile {
        let reading = settings.watchedFile(bytes)
        if let file = reading.file { return file }
        throw APIError(.fileUnusable, reading.mistakes(in: path))
    }
}

extension WatchedFile.Reading {
    private static let mistakesShown = 5

    /// What is wrong with the file, in one sentence.
    func mistakes(in path: String) -> String {
        let mistakes = diagnostics.filter { $0.severity == .error }
        let shown = mistakes.prefix(Self.mistakesShown).map { $0.text(file: path) }.joined(separator: "; ")
        let more = mistakes.count - Self.mistakesShown
        return more > 0 ? "\(shown); and \(counted(more, "more mistake"))" : shown
    }
}
