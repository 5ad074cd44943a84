import ArgumentParser
import Curl
import Daemon
import Glibc
import Health
import History
import Settings
import TargetsAPI

struct TargetsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "targets", abstract: "Show and change the targets of the Targets API.",
        subcommands: [
            TargetsListCommand.self, TargetsGetCommand.self, TargetsCreateCommand.self, TargetsUpdateCommand.self,
            TargetsDeleteCommand.self, TargetsExportCommand.self, TargetsApplyCommand.self,
        ], defaultSubcommand: TargetsListCommand.self)
}

/// Which API, which client, which token.
struct APIOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The daemon's configuration, which names API, client and token.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The API's address instead.", valueName: "url"))
    var api: String?

    @Option(help: ArgumentHelp("The client, where the configuration has more than one, or with --api.", valueName: "id"))
    var client: String?

    @Option(help: ArgumentHelp("With --api: a file with nothing but the token in it.", valueName: "file"))
    var tokenFile: String?

    @Option(help: ArgumentHelp("With --api: the environment variable that holds the token.", valueName: "name"))
    var tokenEnv: String?

    func validate() throws {
        guard (config == nil) != (api == nil) else {
            throw ValidationError("Give either --config FILE, or --api URL, --client and a token.")
        }
        if api == nil, tokenFile != nil || tokenEnv != nil {
            throw ValidationError("--token-file and --token-env go with --api.")
        }
        if api != nil, client == nil { throw ValidationError("--api wants a --client.") }
        if api != nil, (tokenFile == nil) == (tokenEnv == nil) {
            throw ValidationError("--api wants either --token-file or --token-env.")
        }
    }

    /// What the commands work with; `engine` is to be shut down by them.
    func open() throws -> APIAccess {
        let engine = try TransferEngine(userAgent: Rangefinder.userAgent)
        if let config {
            let settings = try loadSettings(config)
            let section = settings.targetsAPI
            let clients = section.clients.filter { client == nil || $0.id == client }
            guard let chosen = clients.first else {
                throw Failure(
                    .usage, client.map { "the configuration has no client \(displayText($0))" } ?? "targets_api.clients is empty")
            }
            guard clients.count == 1 else {
                throw Failure(
                    .usage,
                    "there are several clients; choose one with --client: "
                        + clients.map { displayText($0.id) }.joined(separator: ", "))
            }
            return APIAccess(
                engine: engine, baseURL: section.baseURL, clientID: chosen.id, token: chosen.token, maxList: section.maxList,
                timeout: section.timeout, database: settings.history.path)
        }
        return APIAccess(
            engine: engine, baseURL: api ?? "", clientID: client ?? "", token: try token(), maxList: 256 << 20,
            timeout: .seconds(30),
            database: nil)
    }

    private func token() throws -> Secret {
        if let tokenEnv {
            guard let text = Rangefinder.surroundings.environment(tokenEnv), !text.isEmpty else {
                throw Failure(.notWell, "the environment variable \(displayText(tokenEnv)) is not set")
            }
            return Secret(text)
        }
        return try readTokenFile(tokenFile ?? "", Rangefinder.surroundings)
    }
}

/// The first line of a file that holds one token.
func readTokenFile(_ path: String, _ surroundings: Surroundings) throws -> Secret {
    do throws(FileProblem) {
        let bytes = try surroundings.readFile(path, 64 << 10)
        let text = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
        if !text.isEmpty { return Secret(text) }
    } catch {
        throw Failure(.notWell, "the token file \(displayText(path)) can't be read: \(error.sentence)")
    }
    throw Failure(.notWell, "the token file \(displayText(path)) is empty")
}

/// One client of one API, for the time of a command.
struct APIAccess: Sendable {
    let engine: TransferEngine
    let client: TargetsClient
    /// The daemon's, where the configuration names one.
    let database: String?

    init(
        engine: TransferEngine, baseURL: String, clientID: String, token: Secret, maxList: Int, timeout: Duration,
        database: String?
    ) {
        self.engine = engine
        self.database = database
        client = TargetsClient(
            clientID: clientID, token: token, maxList: maxList, timeout: timeout,
            transport: apiTransport(baseURL: baseURL, userAgent: Rangefinder.userAgent, over: engine))
    }

    /// Runs `body` and shuts the engine down; an error of the API ends the command with a sentence and what to try.
    func run<Value>(_ body: (TargetsClient) async throws -> Value) async throws -> Value {
        do {
            let value = try await body(client)
            await engine.shutDown()
            return value
        } catch let error as APIError {
            await engine.shutDown()
            throw failure(of: error)
        } catch {
            await engine.shutDown()
            throw error
        }
    }

    /// All targets; what can't be used of the answer is said.
    static func list(_ client: TargetsClient) async throws(APIError) -> [Target] {
        let list = try await client.list()
        for rejected in list.rejected { printError("rejected \(rejected)") }
        return list.targets
    }

    /// The one target of this id, or else of this name.
    static func find(_ word: String, region: String?, _ client: TargetsClient) async throws -> Target {
        let targets = try await list(client)
        if let target = targets.first(where: { $0.identity.key == word }) { return target }
        let named = targets.filter { $0.name == word && (region == nil || $0.region == region) }
        guard let target = named.first else {
            let near = targets.filter { $0.name.lowercased() == word.lowercased() }.map { displayText($0.name) }
            let meant = near.first.map { "; did you mean \($0)?" } ?? ""
            throw Failure(
                .notWell, "there is no target \(displayText(word))\(region.map { " in \(displayText($0))" } ?? "")\(meant)")
        }
        guard named.count == 1 else {
            let candidates = named.map {
                "  \(displayText($0.identity.key))  \(displayText($0.region))  \(displayText($0.baseURL))"
            }
            throw Failure(
                .notWell,
                "\(named.count) targets are called \(displayText(word)); name one by its id:\n"
                    + candidates.joined(separator: "\n"))
        }
        return target
    }

    func failure(of error: APIError) -> Failure {
        switch error.code {
        case .unauthorized: Failure(.unreachable, "\(error)\nTry the client's own token, and whether it may change targets.")
        case .httpStatus where error.httpStatus == 404:
            Failure(.notWell, "\(error)\nSomebody else may have deleted it: see `rangefinder targets list`.")
        case .httpStatus where (400..<500).contains(error.httpStatus ?? 0):
            Failure(.notWell, "\(error)\nThe API refuses this as it is: see what it says of it.")
        default:
            Failure(
                .unreachable, "\(error)\nNothing is known to have changed; try again, and see `rangefinder doctor` if it lasts.")
        }
    }
}

/// Completes the names of targets by what the daemon of the configuration remembers: without asking anybody.
func completedNames(_ words: [String]) -> [String] {
    guard let place = words.firstIndex(of: "--config"), place + 1 < words.count,
        let settings = Settings.load(path: words[place + 1], surroundings: Rangefinder.surroundings).settings,
        let lists = try? HistoryReader.open(path: settings.history.path).rememberedLists()
    else { return [] }
    return lists.values.flatMap { $0.map(\.name) }.sorted()
}
