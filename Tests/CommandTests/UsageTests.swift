import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct UsageTests {
    @Test func saysItsVersion() async throws {
        let ended = try await Program.run(["--version"])
        #expect(ended.code == 0)
        #expect(ended.output.hasPrefix("rangefinder 0."))
        #expect(ended.errors.isEmpty)
    }

    @Test(arguments: [
        ["bogus"], ["probe"], ["demo", "--port", "70000"], ["status", "--nonsense"],
    ])
    func wrongUsageIsCodeTwoAndGoesToStandardError(arguments: [String]) async throws {
        let ended = try await Program.run(arguments)
        #expect(ended.code == 2)
        #expect(ended.output.isEmpty)
        #expect(ended.errors.contains("Usage:") || ended.errors.contains("usage"))
    }

    @Test(arguments: [
        ["run"], ["check-config"], ["status"], ["probe", "--target", "x"], ["targets", "list"], ["history", "x"],
    ])
    func aCommandWithoutAConfigurationSaysHowToNameOne(arguments: [String]) async throws {
        let ended = try await Program.run(arguments, environment: ["RANGEFINDER_CONFIG": ""])
        #expect(ended.code == 2 && ended.errors.contains("which configuration?"), "\(ended.errors)")
    }

    @Test func helpIsNoError() async throws {
        let ended = try await Program.run(["--help"])
        #expect(ended.code == 0)
        for command in ["run", "demo", "check-config", "probe", "status", "targets-server"] {
            #expect(ended.output.contains(command))
        }
    }

    @Test func aGoodConfigurationIsCodeZero() async throws {
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        let ended = try await Program.run(["check-config", "--config", site.configuration])
        #expect(ended.code == 0)
        #expect(ended.output.contains("is good"))
    }

    @Test func everyMistakeIsReportedAtOnceWithItsPlace() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("probe:\n  intervall: 5s\n  timeout: soon\nlog: {level: loud}\n", to: "bad.yaml")
        let ended = try await Program.run(["check-config", "--config", file])
        #expect(ended.code == 1)
        let lines = ended.output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("\(file):2:3: ") && $0.contains("interval") })
        #expect(lines.contains { $0.hasPrefix("\(file):3:12: ") })
        #expect(lines.contains { $0.hasPrefix("\(file):4:") })
    }

    @Test func aKeyOfAnotherCertificateIsAMistake() async throws {
        let authority = try TestAuthority()
        let (mine, other) = (try authority.issue("me"), try authority.issue("other"))
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        let text = try String(contentsOfFile: site.configuration, encoding: .utf8)
        let certificate = authority.folder.file("\(mine).crt")
        for (key, code) in [(mine, Int32(0)), (other, 1)] {
            let file = try site.folder.write(
                text + """

                    overrides:
                      - match: {url: "https://api.example.com"}
                        probe:
                          client_certificate_file: \(certificate)
                          client_key_file: \(authority.folder.file("\(key).key"))
                    """, to: "pair.yaml")
            let ended = try await Program.run(["check-config", "--config", file])
            #expect(ended.code == code)
            #expect(ended.output.contains("holds the key of another certificate") == (code == 1))
        }
    }

    @Test func checkConfigShowsWhatTheRulesDoToTheRealList() async throws {
        let site = try Site(paths: ["a", "b"]) { _ in .http(200) }
        let text = try String(contentsOfFile: site.configuration, encoding: .utf8)
        let file = try site.folder.write(
            text
                + "\noverrides:\n  - {match: {name: a}, probe: {interval: 1s}}\n  - {match: {name: nobody}, probe: {enabled: false}}\n",
            to: "overrides.yaml")
        let ended = try await Program.run(["check-config", "--config", file, "--sync"])
        #expect(ended.code == 0)
        #expect(ended.output.contains("2 targets in the list"))
        #expect(ended.output.contains("override 1: 1 target"))
        #expect(ended.output.contains("override 2 matches no target"))
    }

    @Test func runRefusesABadConfigurationAndAnUnreadableDatabase() async throws {
        let folder = try TemporaryFolder()
        let bad = try folder.write("nonsense: 1\n", to: "bad.yaml")
        #expect(try await Program.run(["run", "--config", bad]).code == 1)
        let site = try Site(paths: []) { _ in .http(200) }
        try site.folder.write(
            "this is no database of ours, and long enough to be looked at by whoever opens it\n", to: "history.db")
        let ended = try await Program.run(["run", "--config", site.configuration])
        #expect(ended.code == 69)
        #expect(ended.errors.contains("not a history database of rangefinder"))
    }
}
