import ArgumentParser
import Curl
import Health
import Settings

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
    @OptionGroup var file: ConfigOption

    @Option(help: ArgumentHelp("The API's address, in place of --config.", valueName: "url"))
    var api: String?

    @Option(help: ArgumentHelp("The client: with --api, or if the configuration has several.", valueName: "id"))
    var client: String?

    @Option(help: ArgumentHelp("With --api: a file with the token and nothing else.", valueName: "file"), completion: .file())
    var tokenFile: String?

    @Option(help: ArgumentHelp("With --api: the environment variable that holds the token.", valueName: "name"))
    var tokenEnv: String?

    func validate() throws {
        if file.config != nil, api != nil {
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
        if api == nil {
            let settings = try loadSettings(try file.path())
            guard settings.targetsFile == nil else {
                throw Failure(
                    .notWell,
                    "the daemon watches \(displayText(settings.targetsFile ?? "")): change that file; there is no API to ask")
            }
            let section = settings.targetsAPI
            let clients = section.clients.filter { client == nil || $0.id == client }
            guard let chosen = clients.first else {
                throw Failure(
                    client == nil ? .notWell : .usage,
                    client.map { "the configuration has no client \(displayText($0))" } ?? "targets_api.clients is empty")
            }
            guard clients.count == 1 else {
                throw Failure(
                    .usage,
                    "there are several clients; choose one with --client: "
                        + clients.map { displayText($0.id) }.joined(separator: ", "))
            }
            return APIAccess(
                engine: engine, baseURL: section.baseURL, clientID: chosen.id, token: chosen.token, maxList: section.maxList,
                timeout: section.timeout, database: settings.history.path, egress: settings.egress)
        }
        return APIAccess(
            engine: engine, baseURL: api ?? "", clientID: client ?? "", token: try token(), maxList: 256 << 20,
            timeout: .seconds(30),
            database: nil)
    }

    private func token() throws -> Secret {
        if let tokenEnv {
            let name = "the environment variable \(displayText(tokenEnv))"
            guard let text = Rangefinder.surroundings.environment(tokenEnv) else { throw Failure(.notWell, "\(name) is not set") }
            return try rangefinder.token(text, of: name)
        }
        return try readTokenFile(tokenFile ?? "", Rangefinder.surroundings)
    }
}

/// Of a file that holds one token.
func readTokenFile(_ path: String, _ surroundings: ProcessEnvironment) throws(Failure) -> Secret {
    let bytes: [UInt8]
    do throws(FileProblem) {
        bytes = try surroundings.readFile(path, bareSecretLimit)
    } catch {
        throw Failure(.notWell, "the token file \(displayText(path)) can't be read: \(error.sentence)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure(.notWell, "the token file \(displayText(path)) is not UTF-8 text")
    }
    if surroundings.othersMayRead(path) { printError("warning: \(readByOthers(path))") }
    return try token(text, of: "the token file \(displayText(path))")
}

private func token(_ text: String, of source: String) throws(Failure) -> Secret {
    do throws(SecretProblem) { return try bareSecret(text) } catch { throw Failure(.notWell, "\(source) \(error.sentence)") }
}
