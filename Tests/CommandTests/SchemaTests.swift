import Foundation
import Glibc
import TestSupport
import Testing

/// What `--json` prints is what docs/json says, read by Python's jsonschema. scripts/test prepares that Python.
@Suite(.enabled(if: python != nil, "RANGEFINDER_PYTHON is not set; scripts/test sets it"), .timeLimit(.minutes(5)))
struct SchemaTests {
    @Test func probePrintsWhatItsSchemaSays() async throws {
        let server = try LoopbackServer { _ in .http(200) }
        for url in [server.url, "http://nobody.invalid", "not a url"] {
            let ended = try await Program.run(["probe", url, "--json"])
            #expect(try problems(of: ended.output, against: "probe") == "read\n")
        }
    }

    @Test func statusPrintsWhatItsSchemaSays() async throws {
        let site = try Site(paths: ["good", "bad"]) { request in request.path == "/bad" ? .http(500) : .http(200) }
        let (program, _) = try await site.start()
        #expect(try await program.errors.until("bad is down"))
        #expect(try await program.errors.until("good is up"))
        program.send(SIGTERM)
        _ = await program.ended()
        let ended = try await Program.run(["status", "--database", site.database, "--json"])
        #expect(ended.output.contains("\"status\":\"down\""))
        #expect(try problems(of: ended.output, against: "status") == "read\n")
        let targets = try await Program.run(["targets", "list", "--config", site.configuration, "--json"])
        #expect(targets.output.contains("\"status\":\"down\"") && targets.output.contains("\"last_duration_us\":"))
        #expect(try problems(of: targets.output, against: "targets") == "read\n")
        let file = try site.folder.write(
            "targets:\n  - {name: new, region: eu, base_url: \"https://x.example\", test_path: /}\n", to: "targets.yaml")
        let changes = try await Program.run(
            ["targets", "apply", "--config", site.configuration, "-f", file, "--prune", "--dry-run", "--json"])
        #expect(changes.output.contains("\"action\":\"delete\"") && changes.output.contains("\"target_id\":null"))
        #expect(try problems(of: changes.output, against: "changes") == "read\n")
        let incidents = try await Program.run(["incidents", "--database", site.database, "--json"])
        #expect(incidents.output.contains("\"reason\":\"status_unexpected\""))
        #expect(try problems(of: incidents.output, against: "incidents") == "read\n")
        let incident = try await Program.run(["incidents", "show", "1", "--database", site.database, "--json"])
        #expect(incident.output.contains("\"kind\":\"first_bad\"") && incident.output.contains("\"kind\":\"last_bad\""))
        #expect(try problems(of: incident.output, against: "incident") == "read\n")
        let replay = try await Program.run(["replay", "--database", site.database, "--fall", "1", "--json"])
        #expect(replay.output.contains("\"delay_max_us\":"))
        #expect(try problems(of: replay.output, against: "replay") == "read\n")
        for (resolution, since) in [("1s", "1h"), ("1m", "1d"), ("1h", "2d"), ("1d", "9d")] {
            let history = try await Program.run(
                ["history", "bad", "--database", site.database, "--since", since, "--resolution", resolution, "--json"])
            #expect(history.output.contains("\"status_unexpected\":"))
            #expect(try problems(of: history.output, against: "history") == "read\n")
        }
    }

    @Test func doctorPrintsWhatItsSchemaSays() async throws {
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        for config in [site.configuration, site.folder.file("nothing.yaml")] {
            let ended = try await Program.run(["doctor", "--config", config, "--json"])
            #expect(try problems(of: ended.output, against: "doctor") == "read\n")
        }
    }

    @Test func theSchemaRefusesWhatIsNot() throws {
        #expect(
            try problems(of: #"{"version":1,"kind":"status","generated_at":"now","items":[{}]}"#, against: "status")
                != "read\n")
    }
}
