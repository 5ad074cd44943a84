import Glibc
import TestSupport
import Testing

/// Notes and maintenance windows, by command and by the forms of the pages.
@Suite(.timeLimit(.minutes(5))) struct HandWorkTests {
    private func site(more: String = "") throws -> Site {
        try Site(
            paths: ["bad", "good"], probe: "{interval: 2s, fast_interval: 100ms, timeout: 2s, fall: 2}", more: more
        ) { $0.path == "/bad" ? .http(503) : .http(200) }
    }

    @Test func aWindowBeginsHoldsOverARestartAndEnds() async throws {
        let site = try site()
        let config = ["--config", site.configuration]
        var (program, _) = try await site.start()
        #expect(try await program.errors.until("bad is down"))
        let began = try await Program.run(
            ["maintenance", "start", "b*", "region=eu", "--for", "2h", "--note", "new disk"] + config)
        #expect(began.code == 0, "\(began.errors)")
        #expect(began.errors.contains("window 1 is open until 20") && began.errors.contains("for 1 target (b*, region=eu)"))
        program.send(SIGTERM)
        _ = await program.ended()
        let list = try await Program.run(["maintenance", "list", "--database", site.database])
        #expect(list.output.contains("b*, region=eu") && list.output.contains("new disk"), "\(list.output)")
        let port: Int
        (program, port) = try await site.start()
        #expect(try await program.errors.until("probing targets"))
        let page = try await get(port, "/targets/\(documentedClient)/tgt_bad").body
        #expect(page.contains("It is in a maintenance window"))
        #expect(!(try await get(port, "/targets/\(documentedClient)/tgt_good").body.contains("It is in a maintenance window")))
        let ended = try await Program.run(["maintenance", "end", "1"] + config)
        #expect(ended.code == 0 && ended.errors.contains("window 1 is ended"))
        #expect(try await Program.run(["maintenance", "end", "1"] + config).code == 2)
        // Whoever has a page from before must not end another's window.
        let next = try await Program.run(["maintenance", "start", "good", "--for", "2h"] + config)
        #expect(next.errors.contains("window 2 is open until 20"), "\(next.errors)")
        #expect(try await Program.run(["maintenance", "end", "2"] + config).code == 0)
        program.send(SIGTERM)
        _ = await program.ended()
        #expect(try await Program.run(["maintenance", "--database", site.database]).output == "No window is open.\n")
    }

    /// Killed the moment after it was confirmed.
    @Test func whatIsConfirmedIsInTheDatabase() async throws {
        let site = try site()
        let (program, port) = try await site.start()
        #expect(try await program.errors.until("bad is down"))
        while try await get(port, "/incidents/1").status != 200 {}
        let config = ["--config", site.configuration]
        #expect(try await Program.run(["maintenance", "start", "bad", "--for", "2h"] + config).code == 0)
        #expect(try await Program.run(["incidents", "note", "1", "rolled back"] + config).code == 0)
        program.send(SIGKILL)
        _ = await program.ended()
        #expect(try await Program.run(["maintenance", "list", "--database", site.database]).output.contains("bad"))
        #expect(try await Program.run(["incidents", "show", "1", "--database", site.database]).output.contains("rolled back"))
    }

    @Test func aWindowHoldsWhenTheDatabaseHasToBeginAnew() async throws {
        let site = try site()
        let (program, _) = try await site.start()
        #expect(try await program.errors.until("bad is down"))
        let began = try await Program.run(["maintenance", "start", "bad", "--for", "2h", "--config", site.configuration])
        #expect(began.code == 0, "\(began.errors)")
        #expect(truncate(site.database + "-wal", 0) == 0)
        #expect(try await program.errors.until("a new one was begun"))
        program.send(SIGTERM)
        _ = await program.ended()
        let list = try await Program.run(["maintenance", "list", "--database", site.database])
        #expect(list.output.contains("bad"), "\(list.output)")
        // The lists, too: nothing of them has changed that would have them written.
        let status = try await Program.run(["status", "--database", site.database])
        #expect(status.output.contains("bad") && status.output.contains("good"), "\(status.output)")
    }

    @Test(arguments: [
        (["maintenance", "start", "x", "--for", "soon"], "no length from 1m to 31d"),
        (["maintenance", "start", "url=nothing", "--for", "2h"], "must begin with https://"),
        (["incidents", "note", "99", "hello"], "there is no incident 99"),
        (["incidents", "note", "1", " "], "the note is empty"),
    ])
    func whatMakesNoSenseIsRefusedWithWhatToDo(_ words: [String], _ sentence: String) async throws {
        let site = try site()
        let (program, _) = try await site.start()
        #expect(try await program.errors.until("bad is down"))
        let ended = try await Program.run(words + ["--config", site.configuration])
        #expect(ended.code == 2 && ended.errors.contains(sentence), "\(ended.errors)")
        program.send(SIGTERM)
        _ = await program.ended()
    }

    @Test func aNoteIsShownWhereTheIncidentIs() async throws {
        let site = try site()
        let (program, port) = try await site.start()
        #expect(try await program.errors.until("bad is down"))
        while try await get(port, "/incidents/1").status != 200 {}
        let noted = try await Program.run([
            "incidents", "note", "1", "rolled <back>\u{202e}", "--public", "--config", site.configuration,
        ])
        #expect(noted.code == 0 && noted.errors.contains("noted on incident 1, bad"), "\(noted.errors)")
        program.send(SIGTERM)
        _ = await program.ended()
        let shown = try await Program.run(["incidents", "show", "1", "--database", site.database])
        #expect(shown.output.contains("  rolled <back>\\u{202e}\n"), "\(shown.output)")
        let json = try await Program.run(["incidents", "show", "1", "--database", site.database, "--json"])
        #expect(json.output.contains("\"public\":true"))
    }

    @Test func aFormWorksWithItsTokenAndNothingElseDoes() async throws {
        let site = try site(more: "admin: true")
        let (program, port) = try await site.start()
        #expect(try await program.errors.until("bad is down"))
        while try await get(port, "/incidents/1").status != 200 {}
        let page = try await get(port, "/incidents/1").body
        let token = String(try #require(page.firstMatch(of: /name="token" value="([0-9a-f]{32})"/)).1)
        func post(_ body: String, _ headers: [String: String] = [:]) async throws -> ListenerAnswer {
            try await get(port, "/-/notes", method: "POST", body: body, headers)
        }
        let form = "incident=1&text=%3Cscript%3Ealert%281%29%3C%2Fscript%3E&public=1&back=%2Fincidents%2F1&token="
        let done = try await post(form + token)
        #expect(done.status == 303 && done.headers.lowercased().contains("location: /incidents/1"), "\(done)")
        #expect(try await post(form + "0").status == 403)
        #expect(try await post(form + token, ["Origin": "https://evil.example"]).status == 403)
        #expect(try await post(form + token, ["Sec-Fetch-Site": "cross-site"]).status == 403)
        #expect(try await post("text=x&token=" + token).status == 400)
        #expect(try await post("incident=1&text=x&back=%2F%2Fevil.example&token=" + token).status == 200)
        while !(try await get(port, "/incidents/1").body.contains("&lt;script&gt;alert(1)")) {}
        // A form makes nothing public.
        #expect(!(try await get(port, "/incidents/1.json").body.contains("\"public\":true")))
        program.send(SIGTERM)
        _ = await program.ended()
    }

    @Test func withoutAdminThereAreNoForms() async throws {
        let site = try site()
        let (program, port) = try await site.start()
        #expect(try await program.errors.until("bad is down"))
        while try await get(port, "/incidents/1").status != 200 {}
        let (page, answer) = (
            try await get(port, "/incidents/1").body, try await get(port, "/-/notes", method: "POST", body: "incident=1&text=x")
        )
        #expect(!page.contains("<form method=\"post\"") && answer.status == 403)
        program.send(SIGTERM)
        _ = await program.ended()
    }
}
