import Foundation
import Glibc
import TestSupport
import Testing

/// A daemon that is its own Targets API and has seen an outage, for commands that documents show.
struct Stage {
    let folder: TemporaryFolder
    let server: LoopbackServer
    let port: Int
    let apiPort: Int
    private let daemon: RunningProgram

    init() async throws {
        folder = try TemporaryFolder()
        apiPort = try freePort()
        server = try LoopbackServer { $0.path == "/down" ? .http(503) : .http(200) }
        try folder.write("t0ken-of-the-documents\n", to: "registry-token")
        try folder.write("noproxy = \"*\"\nmax-time = 20\n", to: ".curlrc")
        let file = try folder.write(
            """
            vantage: test
            listen: 127.0.0.1:0
            admin: true
            targets_server:
              listen: 127.0.0.1:\(apiPort)
              database: \(folder.file("targets.db"))
              token_file: \(folder.file("registry-token"))
            targets_api:
              base_url: http://127.0.0.1:\(apiPort)
              sync_interval: 1s
              clients: [{id: default, token_file: \(folder.file("registry-token"))}]
            history: {path: \(folder.file("history.db"))}
            probe: {interval: 1s, fast_interval: 100ms, timeout: 900ms}
            egress: {allow: [127.0.0.0/8]}
            """, to: "rangefinder.yaml")
        try FileManager.default.createDirectory(atPath: folder.file("bin"), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("bin/rangefinder"), withDestinationPath: Program.path)
        daemon = try RunningProgram(["run", "--config", file])
        port = try await daemon.port(after: "info listening address=127.0.0.1:")
        let created = try await Program.run([
            "targets", "create", "--config", file, "--name", "Failing", "--region", "eu-west-1", "--base-url", server.url,
            "--test-path", "/down",
        ])
        guard created.code == 0 else { throw SupportError(created.errors) }
        guard try await daemon.errors.until("Failing is down") else { throw SupportError(daemon.errors.text) }
        // The log is faster than the database.
        while try await Program.run(["incidents", "show", "1", "--config", file]).code != 0 {}
    }

    func end() async {
        daemon.send(SIGTERM)
        #expect(await daemon.ended() == 0)
    }

    /// A folder for what one document does.
    func desk() throws -> Desk { try Desk(self) }

    struct Desk {
        private let stage: Stage
        private let folder: TemporaryFolder

        fileprivate init(_ stage: Stage) throws {
            self.stage = stage
            folder = try TemporaryFolder()
            try folder.write(
                "targets: [{name: Other, region: eu, base_url: \"\(stage.server.url)\", test_path: /}]\n", to: "targets.yaml")
            try putBack()
        }

        /// What a document writes over to start a daemon of its own.
        private func putBack() throws {
            for file in ["rangefinder.yaml", "registry-token"] { try folder.write(try stage.folder.read(file), to: file) }
        }

        /// Ends with 1 because of what it finds here: a target that is down, or no list that is held.
        private static let mayFindSomething = ["rangefinder probe --config FILE --target", "status --fail", "sync --accept"]

        func run(_ command: DocumentedCommand) async throws {
            let text = filledIn(command.text)
            if let verb = text.firstMatch(of: /^rangefinder (run|watch|demo|targets-server)\b/)?.1 {
                try await begin(text, String(verb), command)
                return
            }
            let (environment, place) = (environment, folder.path)
            let ended = try await onThread {
                try ChildProcess.run("bash", ["-c", text], in: place, environment: environment, errors: .apart)
            }
            // The question whether it shall be deleted is an answer, too.
            let isAsking = ended.errors.contains("there is no terminal to ask on")
            let isDone = ended.status == 0 || ended.status == 1 && Self.mayFindSomething.contains { command.text.contains($0) }
            let isRun = isDone && !ended.errors.contains("command not found") || isAsking
            #expect(
                isRun || isMention(command, ended.errors), "\(command)\n\(text)\n\(ended.status): \(ended.output)\(ended.errors)")
        }

        /// One that goes on until it is told to end.
        private func begin(_ text: String, _ verb: String, _ command: DocumentedCommand) async throws {
            if verb == "run" { try adapt() }
            let words = try await words(of: text)
            let program = try RunningProgram(words, environment: environment, shell: "cd '\(folder.path)'")
            let sign = ["run": "listening address=", "targets-server": "listens", "watch": " up", "demo": "http://"][verb] ?? ""
            let begun = try await (["run", "targets-server"].contains(verb) ? program.errors : program.output).until(sign)
            program.send(SIGINT)
            let code = await program.ended()
            #expect(begun && code == 0 || isMention(command, program.errors.text), "\(command): \(code) \(program.errors.text)")
            try putBack()
        }

        /// So that a second daemon finds its ports free, and may probe this machine.
        private func adapt() throws {
            let text = try folder.read("rangefinder.yaml").replacing("\(stage.apiPort)", with: "\(try freePort())")
            try folder.write(text + "\nlisten: 127.0.0.1:0\negress: {allow: [127.0.0.0/8]}\n", to: "rangefinder.yaml")
        }

        /// In a sentence a command may stand without what it wants. That it exists, and has its options, is known by then.
        private func isMention(_ command: DocumentedCommand, _ errors: String) -> Bool {
            command.isInSentence && (errors.contains("Missing expected argument") || errors.contains("Missing value for"))
        }

        /// What a shell makes of them.
        private func words(of text: String) async throws -> [String] {
            let (environment, place) = (environment, folder.path)
            let list = "rangefinder() { printf '%s\\n' \"$@\"; }; " + text
            let ended = try await onThread {
                try ChildProcess.run("bash", ["-c", list], in: place, environment: environment, errors: .apart)
            }
            return ended.output.split(separator: "\n").map(String.init)
        }

        private var environment: [String: String] {
            [
                "PATH": stage.folder.file("bin") + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? ""),
                "RANGEFINDER_CONFIG": folder.file("rangefinder.yaml"), "CURL_HOME": stage.folder.path, "TMPDIR": folder.path,
            ]
        }

        private func filledIn(_ text: String) -> String {
            text.replacing(/^sudo (-u \w+ )?/, with: "")
                .replacing("/etc/rangefinder/rangefinder.yaml", with: "rangefinder.yaml")
                .replacing("FOLDER/rangefinder.yaml", with: "rangefinder.yaml")
                .replacing("/var/lib/rangefinder/", with: stage.folder.path + "/")
                .replacing("backup FILE", with: "backup copy.db")
                .replacing(/\bFILE\b/, with: "rangefinder.yaml")
                .replacing(/\b(TARGET|MATCH)\b/, with: "Failing")
                .replacing(/\ ID\b/, with: " 1").replacing(/\ TEXT\b/, with: " text")
                .replacing(/\ URL\b/, with: " " + stage.server.url)
                .replacing(/https:\/\/(www\.)?(example\.com|debian\.org)\b/, with: stage.server.url)
                .replacing("localhost:10115", with: "127.0.0.1:\(stage.port)")
                .replacing("127.0.0.1:10115", with: "127.0.0.1:\(stage.port)")
                .replacing("127.0.0.1:10116", with: "127.0.0.1:\(stage.apiPort)")
        }
    }
}
