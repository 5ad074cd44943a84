import ArgumentParser
import Daemon
import Glibc
import Health
import Settings
import TargetsAPI
import Terminal

struct TargetsExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write all targets as a file that `targets apply` takes.")

    @OptionGroup var options: APIOptions

    func run() async throws {
        let access = try options.open()
        let list = try await access.run(.list) { client throws(APIError) in try await APIAccess.list(client) }
        printData(TargetsFile.text(of: list.targets))
        let places = Dictionary(grouping: list.targets) { ApplyPlan.Place(name: $0.name, region: $0.region) }
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
            Shows what it will do, asks before it deletes or changes anything, and can be run again after an interruption: what is done \
            already is left alone. Exits with 0 when all is as declared, with 1 when something isn't, and with --dry-run when something \
            would be done.
            """)

    @OptionGroup var options: APIOptions

    @Option(
        name: [.customShort("f"), .customLong("file")], help: ArgumentHelp("The file that declares them.", valueName: "file"))
    var file: String

    @Flag(help: "Also delete the targets that the file doesn't declare.") var prune = false
    @Flag(help: "Only show what would be done.") var dryRun = false
    @Flag(name: [.customLong("yes"), .customShort("y")], help: "Don't ask.") var isSure = false

    @Flag(help: "Print JSON: each change, and what came of it.") var json = false

    func run() async throws {
        let drafts = try declared()
        let access = try options.open()
        let style = TerminalStyle.detect(descriptor: STDOUT_FILENO)
        let isWhole = try await access.run(.list) { client -> Bool in
            let list = try await APIAccess.list(client)
            let plan = ApplyPlan(declared: drafts, existing: list.targets, rejected: list.rejected, prune: prune)
            if !json { printData(planText(plan, style: style)) }
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
            if json { try printSteps(work.steps, outcomes, plan) }
            return plan.isWhole && outcomes.allSatisfy { if case .done = $0 { true } else { false } }
        }
        if !isWhole { throw ExitCode(ExitStatus.notWell.rawValue) }
    }

    private func printSteps(_ steps: [Application.Step], _ outcomes: [Application.Outcome]?, _ plan: ApplyPlan) throws {
        printData(try JSONEnvelope.text(kind: "changes", at: .now(), changeItems(steps, outcomes, plan)))
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
        return declared.entries.map {
            TargetDraft(name: $0.name, baseURL: $0.baseURL, testPath: $0.testPath, region: $0.region, ruleEffect: $0.ruleEffect)
        }
    }
}

private func standardInput() throws(FileProblem) -> [UInt8] {
    var (bytes, part) = ([UInt8](), [UInt8](repeating: 0, count: 64 << 10))
    while case let count = read(STDIN_FILENO, &part, part.count), count > 0 {
        bytes += part[..<count]
        if bytes.count > TargetsFile.sizeLimit { throw .tooLarge }
    }
    return bytes
}

/// A plan like a diff: `+` is created, `~` changed, `-` deleted, `!` can't be told apart.
func planText(_ plan: ApplyPlan, style: TerminalStyle) -> String {
    var text = ""
    for draft in plan.creates {
        text +=
            style.coloured("+ \(displayText(draft.name)) (\(displayText(draft.region)))", .green)
            + "  \(shownURL(draft.baseURL, draft.testPath))\n"
    }
    for update in plan.updates {
        text += style.coloured("~ \(displayText(update.target.name)) (\(displayText(update.target.region)))", .yellow) + "\n"
        let changes: [(String, String, String?)] = [
            ("base_url", update.target.baseURL, update.change.baseURL),
            ("test_path", update.target.testPath, update.change.testPath),
            ("rule_effect", update.target.ruleEffect.rawValue, update.change.ruleEffect?.rawValue),
        ]
        for (name, old, new) in changes {
            guard let new else { continue }
            let (before, after) = (displayText(urlWithoutSecrets(old)), displayText(urlWithoutSecrets(new)))
            text += "    \(name): \(before) → \(after)" + (before == after ? " (what isn't shown of it changes)" : "") + "\n"
        }
    }
    for target in plan.deletes {
        text +=
            style.coloured("- \(displayText(target.name)) (\(displayText(target.region)))", .red)
            + "  \(displayText(target.identity.key))  \(shownURL(target.baseURL, target.testPath))\n"
    }
    for (place, targets) in plan.ambiguous.sorted(by: { $0.key < $1.key }) {
        let keys = targets.map { displayText($0.identity.key) }.joined(separator: ", ")
        text +=
            style.coloured("! \(displayText(place.name)) (\(displayText(place.region)))", .red)
            + "  \(targets.count) of this name, none is touched; delete or rename all but one: \(keys)\n"
    }
    for draft in plan.unreadable {
        text +=
            style.coloured("! \(displayText(draft.name)) (\(displayText(draft.region)))", .red)
            + "  a record of this name can't be read, nothing is touched; mend or delete that record\n"
    }
    let counts =
        "\(plan.creates.count) to create, \(plan.updates.count) to change, \(plan.deletes.count) to delete, \(plan.unchanged) as declared"
    return text + counts + "\n"
}
