import Glibc
import TestSupport
import Testing

/// `probe` as people use curl.
@Suite(.timeLimit(.minutes(5))) struct ProbeOptionsTests {
    @Test func theRequestIsAsItIsAskedFor() async throws {
        let server = try LoopbackServer { request in
            request.method == "PUT" && request.headers["x-team"] == "blue" && request.body == "hello"
                ? .http(201) : .http(400)
        }
        let url = server.url + "/"
        let done = try await Program.run([
            "probe", url, "-X", "put", "-H", "X-Team: blue", "--data", "hello", "--expect-status", "201",
        ])
        #expect(done.code == 0, "\(done.output) \(done.errors)")
        #expect(try await Program.run(["probe", url, "--data", "hello"]).code == 1)
        #expect(server.requests.last?.method == "POST")
        #expect(server.requests.last?.headers["content-type"] == "application/x-www-form-urlencoded")
        let json = try await Program.run(["probe", url, "--data", "{}", "-H", "Content-Type: application/json"])
        #expect(json.code == 1 && server.requests.last?.headers["content-type"] == "application/json")
        // Where the scheme is missing, this machine is asked by http.
        #expect(try await Program.run(["probe", "127.0.0.1:\(server.port)/", "--expect-status", "400"]).code == 0)
    }

    @Test func aTimeoutAndAnAddressCanBeSaid() async throws {
        let server = try LoopbackServer { $0.path == "/slow" ? .silence : .http(200) }
        let port = server.port
        let slow = try await Program.run(["probe", server.url + "/slow", "--timeout", "300ms"])
        #expect(slow.code == 1 && slow.output.contains("300 ms"), "\(slow.output)")
        let there = try await Program.run([
            "probe", "http://nowhere.example:\(port)/", "--resolve", "nowhere.example:\(port):127.0.0.1",
        ])
        #expect(there.code == 0 && there.errors.isEmpty, "\(there.output) \(there.errors)")
        let elsewhere = try await Program.run([
            "probe", server.url + "/", "--resolve", "nowhere.example:\(port):127.0.0.1",
        ])
        #expect(elsewhere.code == 0 && elsewhere.errors.contains("so its --resolve did nothing"), "\(elsewhere.errors)")
    }

    @Test func manyAreSummedUp() async throws {
        let count = Watched(0)
        let server = try LoopbackServer { _ in
            count.change { $0 += 1 }
            return count.value == 2 ? .http(503) : .http(200)
        }
        let done = try await Program.run(["probe", server.url + "/", "--repeat", "3"])
        #expect(done.code == 1)
        #expect(
            done.output.contains("3 probes: 2 as expected, 1 failed\n") && done.output.contains("min ")
                && done.output.contains("p99 "))
        #expect(done.output.contains("2  failed  "))
        let json = try await Program.run(["probe", server.url + "/", "--repeat", "2", "--json"])
        #expect(json.output.matches(of: /"sentence":/).count == 2)
    }

    @Test func whoInterruptsManyGetsTheSummary() async throws {
        let server = try LoopbackServer { _ in .http(200) }
        let program = try RunningProgram(["probe", server.url + "/?key=abcdefgh", "--repeat", "1000"])
        #expect(try await program.output.until("1  ok"))
        program.send(SIGINT)
        #expect(await program.ended() == 0)
        #expect(program.output.text.contains(" as expected\nmin "), "\(program.output.text)")
    }

    @Test func aNameWithoutAnAddressIsToldAsByOneProbe() async throws {
        let done = try await Program.run(["probe", "http://nowhere.invalid/?key=abcdefgh", "--all-addresses"])
        #expect(done.code == 1 && done.output.contains("dns_failed"), "\(done.output)")
        #expect(done.output.contains("http://nowhere.invalid/?key=…") && !done.output.contains("abcdefgh"), "\(done.output)")
    }

    @Test func eachAddressOfTheNameIsProbed() async throws {
        let server = try LoopbackServer { _ in .http(200) }
        let done = try await Program.run(["probe", "http://localhost:\(server.port)/", "--all-addresses", "-4"])
        #expect(done.code == 0 && done.output.contains("localhost has 1 address:\n  127.0.0.1  ok  "), "\(done.output)")
    }

    /// The cookie comes in a line that goes on, and is sent to where the answer leads.
    @Test func whatIsSentAndReceivedIsShownWithoutSecrets() async throws {
        let server = try LoopbackServer { request in
            request.path.hasPrefix("/x")
                ? .http(302, headers: ["Location: /y", "Set-Cookie: session=\r\n\tabcdefgh"])
                : .http(200, headers: ["Set-Cookie: other=ijklmnop", "X-Team: blue"], body: "hello")
        }
        let done = try await Program.run([
            "probe", server.url + "/x?token=qrstuvwx", "--debug", "-H", "Authorization: Bearer tok-12345678",
        ])
        #expect(done.code == 0, "\(done.output)")
        let lines = [
            "> GET /x?token=… HTTP/1.1", "> Authorization: …", "< HTTP/1.1 302", "< Set-Cookie: …", "> GET /y HTTP/1.1",
            "> Cookie: …",
            "< HTTP/1.1 200", "< X-Team: blue", "< hello",
        ]
        for line in lines { #expect(done.errors.contains(line), "\(line): \(done.errors)") }
        for secret in ["tok-12345678", "abcdefgh", "ijklmnop", "qrstuvwx"] {
            #expect(!done.errors.contains(secret), "\(secret): \(done.errors)")
        }
    }

    /// What this request sent, and what its own answer set or named, is said again in the body: in chunks, and in a trailer.
    @Test func nothingThatIsSecretIsShownWhereTheAnswerSaysItAgain() async throws {
        let secrets = ["tok-12345678", "query-234567", "cookie-34567", "place-456789", "body-5678901", "trailer-6789"]
        let said = secrets.dropLast().joined(separator: " ")
        let chunks = stride(from: 0, to: said.count, by: 9).map { start -> String in
            let chunk = said.dropFirst(start).prefix(9)
            return String(chunk.count, radix: 16) + "\r\n" + chunk + "\r\n"
        }
        let head =
            "HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\nSet-Cookie: s=cookie-34567; Path=/\r\n"
            + "Location: /next?k=place-456789\r\nWWW-Authenticate: Negotiate YIIfNegotiate\r\n\r\n"
        let server = try LoopbackServer { _ in
            .raw(head + chunks.joined() + "0\r\nX-Api-Key: trailer-6789\r\n\r\n")
        }
        let done = try await Program.run([
            "probe", server.url + "/x?api=query-234567&pin=123", "--debug", "-H", "Host-Session: tok-12345678", "--data",
            "password=body-5678901",
        ])
        #expect(done.code == 1 && done.errors.contains("> POST /x?api=…&pin=… HTTP/1.1"), "\(done.output) \(done.errors)")
        #expect(done.errors.contains("< … … … … …"), "\(done.errors)")
        for secret in secrets + ["YIIfNegotiate", "pin=123"] {
            #expect(!done.errors.contains(secret), "\(secret): \(done.errors)")
        }
        let typed = try await Program.run(["probe", server.url, "-H", "tok-12345678"])
        #expect(typed.code == 2 && !typed.errors.contains("tok-12345678"), "\(typed.errors)")
    }

    @Test(
        arguments: [
            (["-H", "no colon"], "-H wants a header"), (["--expect-status", "ok"], "--expect-status wants"),
            (["--timeout", "soon"], "--timeout wants"), (["--resolve", "a:b"], "--resolve wants"),
            (["-4", "-6"], "Give only one"),
            (["--repeat", "0"], "--repeat wants"), (["--repeat", "2", "--all-addresses"], "Give only one"),
        ])
    func whatMakesNoSenseIsRefused(_ words: [String], _ sentence: String) async throws {
        let done = try await Program.run(["probe", "http://127.0.0.1:9/"] + words)
        #expect(done.code == 2 && done.errors.contains(sentence), "\(done.errors)")
    }
}
