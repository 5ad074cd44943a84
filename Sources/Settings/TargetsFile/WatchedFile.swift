package import Health

/// What a daemon watches by its `targets_file`.
package struct WatchedFile: Hashable, Sendable {
    /// The client that the targets of a file have.
    package static let clientID = "file"

    package private(set) var targets: [Target] = []

    package struct Reading: Sendable {
        /// nil when one of the diagnostics is an error.
        package var file: WatchedFile?
        package var diagnostics: [Diagnostic]

        package init(file: WatchedFile?, diagnostics: [Diagnostic]) { (self.file, self.diagnostics) = (file, diagnostics) }
    }

    /// Reads a file. Everything that is wrong is in the answer at once, each with its location.
    ///
    /// - Parameter base: the policy of a target without settings of its own.
    fileprivate static func read(_ bytes: [UInt8], _ own: OwnSettings, base: (Target) -> ProbePolicy) -> Reading {
        let diagnostics = Diagnostics()
        var watched = WatchedFile()
        if let file = TargetsFile.read(bytes, for: .daemon, diagnostics) {
            if file.isCutShort {
                diagnostics.error(
                    "this is an export whose last line is missing: targets may be missing, too; export it again, "
                        + "or delete its first line if it is meant so", at: .start)
            }
            var first: [String: TargetsFile.Entry] = [:]
            for entry in file.entries {
                guard var target = Target(entry, &first, diagnostics) else { continue }
                if let probe = entry.probe, own.read(probe, over: base(target), of: target, diagnostics) != nil {
                    target.probe = probe.flow
                }
                watched.targets.append(target)
            }
        }
        return Reading(file: diagnostics.hasErrors ? nil : watched, diagnostics: diagnostics.sorted)
    }
}

extension Settings {
    /// Reads what a `targets_file` has.
    ///
    /// - Parameter base: the policy of a target without settings of its own.
    package func watchedFile(_ bytes: [UInt8], base: (Target) -> ProbePolicy) -> WatchedFile.Reading {
        own.forget()
        return WatchedFile.read(bytes, own, base: base)
    }
}

extension Target {
    /// - Parameter first: the entries that were read, by their key.
    fileprivate init?(_ entry: TargetsFile.Entry, _ first: inout [String: TargetsFile.Entry], _ diagnostics: Diagnostics) {
        let key = entry.key
        guard key.utf8.count <= Target.keyLimit else {
            diagnostics.error(
                "its region and its name are longer than \(Target.keyLimit) bytes together; give it an 'id'", at: entry.location)
            return nil
        }
        if let other = first[key] {
            // Of two with the same region and name it is told already.
            if entry.id != nil || other.id != nil || (entry.region, entry.name) != (other.region, other.name) {
                let hint = entry.id == nil ? "; give one of them an 'id'" : ""
                diagnostics.error(
                    "the id \(shown(key)) is that of the target on line \(other.location.line)\(hint)", at: entry.location)
            }
            return nil
        }
        first[key] = entry
        self.init(
            identity: TargetIdentity(clientID: WatchedFile.clientID, key: key), name: entry.name, baseURL: entry.baseURL,
            testPath: entry.testPath, region: entry.region, ruleEffect: entry.ruleEffect ?? .allow)
    }
}

extension TargetsFile.Entry {
    /// The id, or what follows from region and name: so the history of a target survives another order of the file.
    var key: String { id ?? (region.isEmpty ? name : "\(region)/\(name)") }
}
