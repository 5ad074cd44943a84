import Foundation
import Glibc
import Health
import History
import TestSupport
import Testing

/// What a running daemon makes of a configuration file that was spoiled under it.
@Suite(.timeLimit(.minutes(5))) struct ReloadCommandTests {
    enum Spoiling: String, CaseIterable, Sendable {
        case emptied, onlyComments, cutOffBeforeTheClients, cutOffWithinAClient, cutOffWithinAKey, aFolder, gone, aPipe

        func spoil(_ path: String, text: String) throws {
            let length = { (part: String) in Int(text.range(of: part).map { text[..<$0.lowerBound].utf8.count } ?? 0) }
            switch self {
            case .emptied: truncate(path, 0)
            case .onlyComments: try Data("# nothing\n\n# at all\n".utf8).write(to: URL(filePath: path))
            case .cutOffBeforeTheClients: truncate(path, length("targets_api"))
            case .cutOffWithinAClient: truncate(path, length(", token_file"))
            case .cutOffWithinAKey: truncate(path, length("gets_api"))
            case .aFolder:
                unlink(path)
                mkdir(path, 0o755)
            case .gone: unlink(path)
            case .aPipe:
                unlink(path)
                mkfifo(path, 0o644)
            }
        }
    }

    /// A daemon that knows a target to be up and another to be down.
    private func started() async throws -> (site: Site, program: RunningProgram, port: Int) {
        let site = try Site(paths: ["good", "bad"]) { .http($0.path == "/bad" ? 500 : 200) }
        let (program, port) = try await site.start()
        #expect(try await program.errors.until("good is up"))
        #expect(try await program.errors.until("bad is down"))
        return (site, program, port)
    }

    private func metric(_ name: String, _ port: Int) async throws -> String? {
        let page = try await exchange(port, WireRequest("GET", "/metrics")).text
        return page.split(separator: "\n").first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.count + 1)) }
    }

    private func openIncidents(_ site: Site) throws -> Int {
        try HistoryReader.open(path: site.database).incidents().count { $0.incident.endedAt == nil }
    }

    @Test(arguments: Spoiling.allCases) func aSpoiledFileChangesNothing(how: Spoiling) async throws {
        let (site, program, port) = try await started()
        try how.spoil(site.configuration, text: site.folder.read("rangefinder.yaml"))
        program.send(SIGHUP)
        #expect(try await program.errors.until("reload failed; the daemon goes on with the settings it had"))
        #expect(try await metric("rangefinder_config_last_reload_successful", port) == "0")
        #expect(try await metric("rangefinder_targets{state=\"active\"}", port) == "2")
        // What a start would refuse the command refuses, too.
        let refused = try await Program.run(["reload", "--database", site.database])
        #expect(refused.code == 1)
        #expect(refused.errors.contains("goes on with the settings it had"))
        #expect(try await Program.run(["check-config", "--config", site.configuration]).code == 1)
        // By then the removal of a target would have been written.
        let before = site.target.requests.count
        try await site.target.until { $0.count >= before + 4 }
        #expect(try openIncidents(site) == 1)
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
        #expect(try await Program.run(["run", "--config", site.configuration]).code == 1)
    }

    @Test func anEmptiedFileIsTakenWhenThatIsAccepted() async throws {
        let (site, program, port) = try await started()
        try Spoiling.emptied.spoil(site.configuration, text: "")
        let refused = try await Program.run(["reload", "--database", site.database])
        #expect(refused.code == 1)
        #expect(refused.errors.contains("if this is meant, `rangefinder reload --accept` takes it"))
        let accepted = try await Program.run(["reload", "--accept", "--database", site.database])
        #expect(accepted.code == 0, "\(accepted.errors)")
        #expect(try await metric("rangefinder_config_last_reload_successful", port) == "1")
        #expect(try await metric("rangefinder_targets{state=\"active\"}", port) == "0")
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
        #expect(try openIncidents(site) == 0)
    }

    @Test func aMistakeIsNotTakenWhateverIsAccepted() async throws {
        let (site, program, _) = try await started()
        try site.folder.write("probe: {intervall: 1s}\n", to: "rangefinder.yaml")
        let refused = try await Program.run(["reload", "--accept", "--database", site.database])
        #expect(refused.code == 1)
        #expect(refused.errors.contains("intervall") && !refused.errors.contains("--accept"))
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
    }

    @Test func theServicesStatusSaysThatAReloadWasRefusedAndWhatTakesIt() async throws {
        let site = try Site(paths: ["good"]) { _ in .http(200) }
        let address = site.folder.file("notify")
        let manager = try DatagramSocket(at: address)
        let (program, _) = try await site.start(environment: ["NOTIFY_SOCKET": address])
        #expect(try await program.errors.until("good is up"))
        try Spoiling.emptied.spoil(site.configuration, text: "")
        program.send(SIGHUP)
        let sentence =
            "the last reload was refused, because it would leave nothing that is watched; `rangefinder reload --accept`"
        try await manager.received.until { $0.contains { $0.contains(sentence) } }
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
    }
}
