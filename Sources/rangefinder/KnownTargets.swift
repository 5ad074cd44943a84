import Curl
import Daemon
import Health
import History
import Settings
import TargetsAPI

/// The targets that are watched: read from the file, or asked of the API. Where neither can be had, as the daemon remembers them.
///
/// - Parameter unfetched: takes the clients whose list couldn't be had.
func knownTargets(
    _ settings: Settings, _ engine: TransferEngine, unfetched: (_ clientID: String) -> Void = { _ in }
) async throws -> [Target] {
    if let file = settings.targetsFile {
        let reading = settings.readTargetsFile(Rangefinder.surroundings)
        for diagnostic in reading?.diagnostics ?? [] { printError(diagnostic.text(file: file)) }
        if let watched = reading?.file { return watched.targets }
        unfetched(WatchedFile.clientID)
        let trouble = "\(displayText(file)) can't be used"
        return try rememberedTargets(settings, clientID: WatchedFile.clientID, because: trouble)
    }
    let section = settings.targetsAPI
    guard !section.clients.isEmpty else {
        throw Failure(.notWell, "there is no list of targets: set targets_file, or targets_api.clients")
    }
    let transport = apiTransport(baseURL: section.baseURL, userAgent: Rangefinder.userAgent, over: engine)
    var targets: [Target] = []
    for client in section.clients {
        let api = TargetsClient(
            clientID: client.id, token: client.token, maxList: section.maxList, timeout: section.timeout, transport: transport)
        do throws(APIError) {
            let list = try await api.list()
            for rejected in list.rejected { printError("rejected \(rejected)") }
            targets += list.targets
        } catch {
            printError("\(error)")
            unfetched(client.id)
            targets += try rememberedTargets(settings, clientID: client.id, because: "\(error)")
        }
    }
    return targets
}

private func rememberedTargets(_ settings: Settings, clientID: String, because trouble: String) throws -> [Target] {
    do {
        let targets = try HistoryReader.open(path: settings.history.path).persistedLists()[clientID]
        guard let targets else { throw Failure(.unreachable, trouble) }
        printError("the list of \(displayText(clientID)) as the daemon last remembered it is used instead")
        return targets
    } catch is HistoryError {
        throw Failure(.unreachable, trouble)
    }
}
