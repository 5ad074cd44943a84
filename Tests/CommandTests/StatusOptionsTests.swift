import Glibc
import TestSupport
import Testing

/// `status` for two hundred targets, and what every command has in common.
@Suite(.timeLimit(.minutes(5))) struct StatusOptionsTests {
    @Test func theWorstStandsFirstAndSomeCanBeChosen() async throws {
        let site = try Site(paths: ["alpha", "beta", "gamma"]) { $0.path == "/gamma" ? .http(503) : .http(200) }
        let (program, _) = try await site.start()
        #expect(try await program.errors.until("gamma is down"))
        while !(try await Program.run(["status", "-c", site.configuration]).output.contains("3 targets: 2 up, 1 down")) {}
        func lines(_ words: [String]) async throws -> [String] {
            let done = try await Program.run(["status"] + words, environment: ["RANGEFINDER_CONFIG": site.configuration])
            #expect(done.code == 0, "\(words): \(done.errors)")
            return done.output.split(separator: "\n").dropFirst().map { String($0.prefix { $0 != " " }) }.filter {
                ["alpha", "beta", "gamma"].contains($0)
            }
        }
        #expect(try await lines([]) == ["gamma", "alpha", "beta"])
        #expect(try await lines(["--sort", "name"]) == ["alpha", "beta", "gamma"])
        #expect(try await lines(["--down"]) == ["gamma"])
        #expect(try await lines(["beta", "tgt_gamma"]) == ["gamma", "beta"])
        #expect(try await lines(["--region", "eu"]).count == 3)
        let wrong = try await Program.run(["status", "-c", site.configuration, "gama"])
        #expect(wrong.code == 2 && wrong.errors.contains("did you mean gamma?"), "\(wrong.errors)")
        let region = try await Program.run(["status", "-c", site.configuration, "--region", "us"])
        #expect(region.code == 2 && region.errors.contains("there are eu"), "\(region.errors)")
        program.send(SIGTERM)
        _ = await program.ended()
    }

    @Test func aCommandThatIsMisspelledIsGuessed() async throws {
        let done = try await Program.run(["stauts"])
        #expect(done.code == 2 && done.errors.contains("Did you mean 'rangefinder status'?"), "\(done.errors)")
        for (word, words) in [("histroy", "Did you mean 'rangefinder history'?"), ("nosuch", "There is no command 'nosuch'.")] {
            let help = try await Program.run(["help", word])
            #expect(help.code == 2 && help.output.isEmpty && help.errors.contains(words), "\(help.errors)")
        }
        let version = try await Program.run(["version"])
        #expect(version.code == 0 && version.output.hasPrefix("rangefinder "))
    }
}
