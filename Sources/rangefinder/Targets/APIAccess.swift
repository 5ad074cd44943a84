import ArgumentParser
import Curl
import Daemon
import Health
import History
import Settings
import TargetsAPI

/// One client of one API, for the time of a command.
struct APIAccess: Sendable {
    let engine: TransferEngine
    let client: TargetsClient
    /// The daemon's, where the configuration names one.
    let database: String?
    /// The daemon's, where the configuration says it.
    let egress: EgressRule

    init(
        engine: TransferEngine, baseURL: String, clientID: String, token: Secret, maxList: Int, timeout: Duration,
        database: String?, egress: EgressRule = EgressRule()
    ) {
        self.engine = engine
        self.egress = egress
        self.database = database
        client = TargetsClient(
            clientID: clientID, token: token, maxList: maxList, timeout: timeout, retries: Retries(),
            transport: apiTransport(baseURL: baseURL, userAgent: Rangefinder.userAgent, over: engine))
    }

    /// Runs `body` and shuts the engine down; an error of the API ends the command with a sentence and what to try.
    ///
    /// - Parameter operation: what `body` does at last.
    func run<Value>(_ operation: Operation, _ body: (TargetsClient) async throws -> Value) async throws -> Value {
        do {
            let value = try await body(client)
            await engine.shutDown()
            return value
        } catch let error as APIError {
            await engine.shutDown()
            throw failure(of: error, operation)
        } catch {
            await engine.shutDown()
            throw error
        }
    }

    enum Operation { case list, create, change }

    private static let rejectedShownMax = 20

    /// The whole list; what can't be used of it is said.
    static func list(_ client: TargetsClient) async throws(APIError) -> TargetList {
        let list = try await client.list()
        for rejected in list.rejected.prefix(rejectedShownMax) { printError("rejected \(rejected)") }
        if list.rejected.count > rejectedShownMax {
            let more = list.rejected.count - rejectedShownMax
            printError("and \(counted(more, "more record", "more records")) can't be used")
        }
        return list
    }

    /// The one target of this id, or else of this name, in this region if one is given.
    func find(_ word: String, region: String?) async throws -> Target {
        let targets: [Target]
        // Whatever comes afterwards: nothing was changed yet.
        do throws(APIError) { targets = try await Self.list(client).targets } catch { throw failure(of: error, .list) }
        let named = targets.called(word).filter { region == nil || $0.region == region }
        guard let target = named.first else {
            let meant = didYouMean(word, targets.map(\.name)) ?? ""
            throw Failure(
                .usage, "there is no target \(displayText(word))\(region.map { " in \(displayText($0))" } ?? "")\(meant)")
        }
        guard named.count == 1 else {
            let candidates = named.prefix(Self.rejectedShownMax).map {
                "  \(displayText($0.identity.key))  \(displayText($0.region))  \(shownURL($0.baseURL, $0.testPath))"
            }
            let rest = named.count > candidates.count ? "\n  and \(named.count - candidates.count) more" : ""
            throw Failure(
                .usage,
                "\(named.count) targets are called \(displayText(word)); name one by its id:\n"
                    + candidates.joined(separator: "\n") + rest)
        }
        return target
    }

    private func failure(of error: APIError, _ operation: Operation) -> Failure {
        let status = error.httpStatus ?? 0
        let (exit, hint): (ExitStatus, String) =
            switch error.code {
            case .unauthorized: (.unreachable, "Try the client's own token, and see whether it may do this.")
            case .tokenUnusable: (.notWell, "Put the bare token into its file, on one line.")
            case .addressUnusable: (.usage, "See whether the API's address is right: --api, or targets_api.base_url.")
            case .notJSON,
                .malformed where !isInDoubt(error, operation), .httpStatus where (300..<400).contains(status):
                (.unreachable, "See whether the API's address is right: --api, or targets_api.base_url.")
            case .httpStatus where status == 404 && operation == .change:
                (.notWell, "Somebody else may have deleted it: see `rangefinder targets list`.")
            case .httpStatus where status == 404:
                (.notWell, "See whether the API's address and the client's id are right.")
            case .httpStatus where status == 429:
                (
                    .unreachable,
                    "The API wants to be asked less often: wait\(error.retryAfter.map { " \(max(1, $0.components.seconds)) s" } ?? "")."
                )
            case .httpStatus where (400..<500).contains(status):
                (.notWell, "The API refuses this as it is: see what it says of it.")
            case _ where isInDoubt(error, operation):
                (.unreachable, "It may have been done all the same: see `rangefinder targets list` before you try again.")
            default: (.unreachable, "Nothing was changed; try again, and see `rangefinder doctor` if it lasts.")
            }
        return Failure(exit, "\(error)\n\(hint)")
    }

    private func isInDoubt(_ error: APIError, _ operation: Operation) -> Bool { operation != .list && error.mayHaveBeenDone }
}

/// Without what a URL may keep secret.
func shownURL(_ base: String, _ path: String) -> String { displayText(urlWithoutSecrets(base + path)) }

/// Completes the targets by what the daemon of the configuration remembers: without asking anybody. A name that a shell would take for more
/// than a word is offered by its id: bash expands what it is offered (`compgen -W`) and breaks words at `:`, `=` and `@`, and zsh has what
/// follows a `:` for a description.
func completedNames(_ words: [String]) -> [String] {
    func value(_ option: String) -> String? {
        let joined = words.first { $0.hasPrefix("\(option)=") }.map { String($0.dropFirst(option.count + 1)) }
        return joined ?? words.firstIndex(of: option).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
    }
    let surroundings = Rangefinder.surroundings.withoutSecrets
    let named = value("--config") ?? value("-c") ?? surroundings.environment(ConfigOption.variable) ?? ConfigOption.service
    let configured = [named].first.flatMap { Settings.load(path: $0, surroundings: surroundings).settings?.history.path }
    guard let path = value("--database") ?? configured, let lists = try? HistoryReader.open(path: path).persistedLists() else {
        return []
    }
    return lists.values.flatMap(\.self).compactMap { target in
        [target.name, target.identity.key].first(where: isHarmless)
    }.sorted()
}

extension CompletionKind {
    static var targetNames: CompletionKind { .custom { words, _, _ in completedNames(words) } }
}

/// Letters, digits and what no shell gives a meaning.
private func isHarmless(_ word: String) -> Bool {
    !word.isEmpty && displayText(word) == word
        && word.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || $0.properties.numericType != nil || "-_./+,".unicodeScalars.contains($0)
        }
        && !word.hasPrefix("-")
}
