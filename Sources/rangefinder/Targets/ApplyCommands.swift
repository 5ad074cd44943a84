import ArgumentParser
import Daemon
import Glibc
import Health
import Pages
import Settings
import TargetsAPI
import Terminal

struct TargetsExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write all targets as a file that `targets apply` takes.",
        discussion: "The last line has the number of targets. `targets apply --prune` refuses an export without it.")

    @OptionGroup var options: APIOptions

    func run() async throws {
        let access = try options.open()
        let list = try await access.run(.list) { client throws(APIError) in try await APIAccess.list(client) }
        try printData(TargetsFile.text(of: list.targets))
        let places = Dictionary(grouping: list.targets) { ApplyPlan.NaturalKey(name: $0.name, region: $0.region) }
        let doubles = places.filter { $0.value.count > 1 }.keys.sorted()
        for place in doubles.prefix(20) {
            printError("\(displayText(place.name)) is there more than once in \(displayText(place.region)): `apply` refuses that")
        }
        // A file that isn't all there is must not pass for it.
        if !doubles.isEmpty || !list.rejected.isEmpty { throw ExitCode(ExitStatus.notWell.rawValue) }
    }
}

struct TargetsApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Make the targets as a file declares them, by name within a region.",
        discussion: """
            Shows its plan first. Asks before it changes or deletes a target. Can be run again after an interruption: changes that are \
            already made are left alone. Exits with 0 when all targets are as declared, and else with 1. With --dry-run it exits with 1 \
            when it would make a change.
            """)

    @OptionGroup var options: APIOptions

    @Option(
        name: [.customShort("f"), .customLong("file")], help: ArgumentHelp("The file with the targets.", valueName: "file"),
        completion: .file())
    var file: String

    @Flag(help: "Also delete the targets that the file doesn't declare.") var prune = false
    @Flag(help: "Only show what would be done.") var dryRun = false
    @Flag(name: [.customLong("yes"), .customShort("y")], help: "Don't ask.") var isSure = false

    @Flag(help: "Print JSON: each change and its outcome.") var json = false

    func run() async throws {
        let drafts = try declared()
        let access = try options.open()
        let style = TerminalStyle.detect(descriptor: STDOUT_FILENO)
        let isWhole = try await access.run(.list) { client -> Bool in
            let list = try await APIAccess.list(client)
            let plan = ApplyPlan(declared: drafts, existing: list.targets, rejected: list.rejected, prune: prune)
            if !json { try printData(planText(plan, style: style)) }
            try refuseUnprobeable(plan, access.egress)
            let work = Application(plan: plan, client: client)
            if plan.isEmpty || dryRun {
                if json { try printSteps(work.steps, nil, plan) }
                return plan.isWhole && plan.isEmpty
            }
            let isHarmless = plan.updates.isEmpty && plan.deletes.isEmpty
            guard try isSure || isHarmless || confirm("Do this?", flag: "--yes") else {
                throw Failure(.notWell, "nothing was changed")
            }
            let outcomes = await work.carryOut()
            printError(applicationText(work.steps, outcomes))
            if json {
                do { try printSteps(work.steps, outcomes, plan) } catch let failure as Failure {
                    throw Failure(failure.code, "what is said above was done, but \(failure.message)")
                }
            }
            return plan.isWhole && outcomes.allSatisfy { if case .done = $0 { true } else { false } }
        }
        if !isWhole { throw ExitCode(ExitStatus.notWell.rawValue) }
    }

    private func printSteps(_ steps: [Application.Step], _ outcomes: [Application.Outcome]?, _ plan: ApplyPlan) throws {
        try printData(try JSONEnvelope.text(kind: "changes", at: .now(), changeItems(steps, outcomes, plan)))
    }

    /// A file without its end declares less than there was: what it has lost would be deleted.
    private func checkIsWhole(_ declared: TargetsFile) throws {
        if declared.isCutShort {
            let words =
                "\(displayText(file)) was begun by `targets export` and has lost its last line: targets may be missing from it"
            if prune {
                throw Failure(
                    .notWell,
                    "\(words); export them again, or delete its first line if it is meant so. Nothing was changed")
            }
            printError("warning: \(words)")
        }
        if let exported = declared.exported, exported != declared.entries.count {
            printError(
                "\(displayText(file)) was exported with \(counted(exported, "target")) and declares \(declared.entries.count) now"
            )
        }
    }

    /// Before anything is done: what the plan would create or change and no configuration could probe.
    private func refuseUnprobeable(_ plan: ApplyPlan, _ egress: EgressRule) throws {
        let changed = plan.creates.map(Target.init(draft:)) + plan.updates.compactMap { $0.target.moved(by: $0.change) }
        let problems = changed.compactMap { target in
            neverProbeableSentence(target).map { "\(displayText(target.name)) (\(displayText(target.region))): \($0)" }
        }
        if !problems.isEmpty {
            let more = problems.count > 20 ? "\nand \(problems.count - 20) more" : ""
            throw Failure(.notWell, problems.prefix(20).joined(separator: "\n") + more + "\nnothing was changed")
        }
        noteDenied(changed, egress)
    }

    private func declared() throws -> [TargetDraft] {
        let bytes: [UInt8]
        do throws(FileProblem) {
            bytes = try file == "-" ? standardInput() : Rangefinder.surroundings.readFile(file, TargetsFile.sizeLimit)
        } catch {
            throw Failure(.notWell, "\(displayText(file)) can't be read: \(error.sentence)")
        }
        let reading = TargetsFile.read(bytes)
        for diagnostic in reading.diagnostics { printError(diagnostic.text(file: file)) }
        guard let declared = reading.file else { throw Failure(.notWell, "nothing was changed") }
        try checkIsWhole(declared)
        return declared.entries.map {
            TargetDraft(name: $0.name, baseURL: $0.baseURL, testPath: $0.testPath, region: $0.region, ruleEffect: $0.ruleEffect)
        }
    }
}

/// To its end: an error in the middle of it must not pass for one.
func standardInput() throws(FileProblem) -> [UInt8] {
    var (bytes, part) = ([UInt8](), [UInt8](repeating: 0, count: 64 << 10))
    while true {
        let count = read(STDIN_FILENO, &part, part.count)
        if count == 0 { return bytes }
        if count > 0 {
            bytes += part[..<count]
            if bytes.count > TargetsFile.sizeLimit { throw .tooLarge }
        } else if errno == EAGAIN {
            var more = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            poll(&more, 1, -1)
        } else if errno != EINTR {
            throw .other(errno)
        }
    }
}
