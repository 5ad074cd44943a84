import ArgumentParser
import FoundationEssentials
import Glibc
import Health
import TargetsAPI

struct TargetsCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Create a target.")

    @OptionGroup var options: APIOptions
    @Option(help: "The target's name.") var name: String
    @Option(help: ArgumentHelp("As in https://api.example.com", valueName: "url")) var baseURL: String
    @Option(help: ArgumentHelp("As in /health", valueName: "path")) var testPath: String
    @Option(help: "The target's region. It can't be changed later.") var region: String
    @Option(help: "The rule effect: allow or deny.") var effect: Target.RuleEffect?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let draft = TargetDraft(name: name, baseURL: baseURL, testPath: testPath, region: region, ruleEffect: effect)
        if let problem = neverProbeableSentence(Target(draft: draft)) { throw Failure(.usage, "\(problem); nothing was created") }
        let access = try options.open()
        let once = UUID().uuidString
        let record = try await access.run(.create) { client throws(APIError) in try await client.create(draft, once: once) }
        let key = record.sKey ?? ""
        let target = Target(
            identity: TargetIdentity(clientID: access.client.clientID, key: key), name: record.name, baseURL: record.baseURL,
            testPath: record.testPath, region: record.region, ruleEffect: record.ruleEffect)
        try report("created \(displayText(record.name))\(key.isEmpty ? "" : " (\(displayText(key)))")", target, json: json)
        noteDenied([target], access.egress)
    }
}

struct TargetsUpdateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change the given values of a target.")

    @OptionGroup var options: APIOptions
    @Argument(help: "The target's id or its name.", completion: .targetNames) var target: String
    @Option(help: "A new name.") var name: String?
    @Option(help: ArgumentHelp("A new base URL.", valueName: "url")) var baseURL: String?
    @Option(help: ArgumentHelp("A new test path.", valueName: "path")) var testPath: String?
    @Option(help: "A new rule effect: allow or deny.") var effect: Target.RuleEffect?
    @Option(help: .hidden) var region: String?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        if region != nil {
            throw ValidationError(
                """
                The region of a target can't be changed. To move it, create one with the same name, base URL and test path in the other \
                region, and delete this one: rangefinder targets create … --region REGION, rangefinder targets delete ID.
                """)
        }
        if name?.isEmpty == true || baseURL?.isEmpty == true { throw ValidationError("A name and a base URL can't be empty.") }
        if name == nil, baseURL == nil, testPath == nil, effect == nil {
            throw ValidationError("Nothing to change: give --name, --base-url, --test-path or --effect.")
        }
    }

    func run() async throws {
        let access = try options.open()
        let change = TargetChange(name: name, baseURL: baseURL, testPath: testPath, ruleEffect: effect)
        let (found, record) = try await access.run(.change) { client in
            let found = try await access.find(target, region: nil)
            if let problem = found.moved(by: change).flatMap(neverProbeableSentence) {
                throw Failure(.usage, "\(problem); nothing was changed")
            }
            return (found, try await client.update(found.identity.key, change))
        }
        let now = Target(
            identity: found.identity, name: record.name, baseURL: record.baseURL, testPath: record.testPath, region: found.region,
            ruleEffect: record.ruleEffect)
        try report("updated \(displayText(now.name)) (\(displayText(now.identity.key)))", now, json: json)
        if baseURL != nil || testPath != nil { noteDenied([now], access.egress) }
    }
}

struct TargetsDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a target. Its history stays in the daemon's database.")

    @OptionGroup var options: APIOptions
    @Argument(help: "The target's id or its name.", completion: .targetNames) var target: String
    @Option(help: ArgumentHelp("The target's region, when two have the same name.", valueName: "region")) var region: String?
    @Flag(name: [.customLong("yes"), .customShort("y")], help: "Don't ask.") var isSure = false
    @Flag(help: "Print JSON: the target before it was deleted.") var json = false

    func run() async throws {
        let access = try options.open()
        let found = try await access.run(.change) { client in
            let found = try await access.find(target, region: region)
            let words =
                "\(displayText(found.name)) (\(displayText(found.identity.key)), \(displayText(found.region)), \(shownURL(found.baseURL, found.testPath)))"
            guard try isSure || confirm("Delete \(words)?", flag: "--yes") else { throw Failure(.notWell, "nothing was deleted") }
            try await client.delete(found.identity.key)
            return found
        }
        try report("deleted \(displayText(found.name)) (\(displayText(found.identity.key)))", found, json: json)
    }
}

/// What was done: as a sentence, or as JSON. What is done stays done when the JSON can't be written, and that is said.
private func report(_ done: String, _ target: Target, json: Bool) throws {
    guard json else { return printError(done) }
    do { try show(target, json: true) } catch let failure as Failure {
        throw Failure(failure.code, "\(done), but \(failure.message)")
    }
}

/// Asks a person on the terminal; where there is none, the flag that answers has to be given.
func confirm(_ question: String, flag: String) throws -> Bool {
    guard isatty(STDIN_FILENO) == 1 else { throw Failure(.usage, "there is no terminal to ask on; give \(flag)") }
    printError("\(question) [y/N] ")
    return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
}
