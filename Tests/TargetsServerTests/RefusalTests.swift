import TestSupport
import Testing

@Suite struct RefusalTests {
    private func expectRefusal(_ status: Int, _ request: WireRequest) async throws {
        try await expectRefusal(status, nil, request)
    }

    private func expectRefusal(_ status: Int, _ message: String?, _ request: WireRequest) async throws {
        try await withServer { port in
            let answer = try await exchange(port, request)
            #expect(answer.status == status)
            #expect(answer.headers["content-type"] == "application/json")
            let said = try Envelope(answer.text)
            #expect(said.targets == nil)
            if let message { #expect(said.message == message) }
            #expect(!answer.text.contains(registryToken))
        }
    }

    @Test(arguments: [nil, "", "wrong", "Bearer \(registryToken)", registryToken + "x", String(registryToken.dropLast())])
    func onlyTheBareTokenIsLetIn(token: String?) async throws {
        try await expectRefusal(401, request("GET", targetsPath, token: token))
    }

    @Test(arguments: ["/", "/api/clients", "/api/clients/c", "\(targetsPath)/", "/api/clients/%00/targets"])
    func whatIsNoPlaceIsNotFound(path: String) async throws {
        try await expectRefusal(404, request("GET", path))
    }

    @Test(arguments: ["GET", "PUT", "DELETE"])
    func anUnknownTargetIsNotFound(method: String) async throws {
        let body = method == "PUT" ? #"{"targetName":"x"}"# : nil
        try await expectRefusal(404, "The client has no such target.", request(method, "\(targetsPath)/tgt_none", body: body))
    }

    @Test func anotherMethodIsToldWhichThereAre() async throws {
        try await withServer { port in
            let answer = try await exchange(port, request("PATCH", targetsPath, body: "{}"))
            #expect((answer.status, answer.headers["allow"]) == (405, "GET, POST"))
            let one = try await exchange(port, request("POST", "\(targetsPath)/t", body: "{}"))
            #expect((one.status, one.headers["allow"]) == (405, "GET, PUT, DELETE"))
        }
    }

    /// What is asked afterwards on the same connection has no answer.
    @Test func theConnectionOfWhoSpeaksTheOldVersionEnds() async throws {
        try await withServer { port in
            let first = "GET \(targetsPath) HTTP/1.0\r\nHost: localhost\r\nAuthorization: \(registryToken)\r\n\r\n"
            let answer = try await exchange(port, first + "GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            #expect(answer.status == 200)
            #expect(!answer.text.contains("HTTP/1.1"), "\(answer.text)")
        }
    }

    private func expecting(_ token: String, _ length: Int) -> String {
        "POST \(targetsPath) HTTP/1.1\r\nHost: localhost\r\nAuthorization: \(token)\r\nContent-Type: application/json\r\n"
            + "Expect: 100-continue\r\nContent-Length: \(length)\r\n\r\n"
    }

    @Test func whoWaitsToBeAskedForTheBodyIsAsked() async throws {
        let body = draft()
        try await withServer { port in
            try await onThread {
                let connection = try Connection(port: port)
                defer { connection.close() }
                connection.send(expecting(registryToken, body.utf8.count))
                #expect(connection.readSome() == "HTTP/1.1 100 Continue\r\n\r\n")
                connection.send(body)
                #expect(connection.readSome()?.hasPrefix("HTTP/1.1 200 OK\r\n") == true)
            }
        }
    }

    /// Nothing of the body is sent, and nothing waited for.
    @Test(arguments: [("wrong", 10, 401), (registryToken, 65_537, 413)])
    func whoIsRefusedIsNotAskedForTheBody(token: String, length: Int, status: Int) async throws {
        try await withServer { port in
            let answer = try await exchange(port, expecting(token, length))
            #expect((answer.status, answer.headers["connection"]) == (status, "close"))
        }
    }

    @Test func aBodyPastItsBoundIsRefused() async throws {
        let body = draft(name: String(repeating: "x", count: 70_000))
        try await expectRefusal(413, "The body is longer than 65536 bytes.", request("POST", targetsPath, body: body))
    }

    @Test func aChunkedBodyPastItsBoundIsRefused() async throws {
        let chunk = "8000\r\n" + String(repeating: "x", count: 0x8000) + "\r\n"
        let head =
            "POST \(targetsPath) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: \(registryToken)\r\n"
            + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        let text = head + String(repeating: chunk, count: 3) + "0\r\n\r\n"
        let status = try await withServer { port in
            return try await exchange(port, text).status
        }
        #expect(status == 413)
    }

    @Test(arguments: ["text/plain", "application/x-www-form-urlencoded", ""])
    func aBodyOfAnotherTypeIsRefused(type: String) async throws {
        try await expectRefusal(
            415, request("POST", targetsPath, type: type, body: draft()))
    }

    @Test func aContentTypeMayHaveParameters() async throws {
        let request = request(
            "POST", targetsPath, type: "Application/JSON ; charset=utf-8", body: draft())
        let status = try await withServer { port in
            return try await exchange(port, request).status
        }
        #expect(status == 200)
    }

    @Test(arguments: [
        ("", "The body is not JSON."), ("{", "The body is not JSON."), ("<html>", "The body is not JSON."),
        ("[]", "The body is not a JSON object."), ("7", "The body is not a JSON object."),
        ("{}", "targetName is missing."),
        (#"{"targetName":7}"#, "targetName is not text."), (#"{"targetName":""}"#, "targetName is empty."),
        (
            #"{"targetName":"\u0000","targetBaseURL":"b","targetTestPath":"/","targetRegion":"r"}"#,
            "The character U+0000 can't be kept."
        ),
    ])
    func aBadCreateSaysWhatIsWrong(body: String, message: String) async throws {
        // What is JSON, and not what it should be, is another matter than what is no JSON.
        try await expectRefusal(message.hasPrefix("target") ? 422 : 400, message, request("POST", targetsPath, body: body))
    }

    @Test(arguments: [
        (draft(name: String(repeating: "x", count: 257)), "targetName is 257 bytes long, more than 256."),
        (draft(url: String(repeating: "x", count: 2049)), "targetBaseURL is 2049 bytes long, more than 2048."),
        (draft(path: String(repeating: "x", count: 2049)), "targetTestPath is 2049 bytes long, more than 2048."),
        (draft(region: String(repeating: "x", count: 65)), "targetRegion is 65 bytes long, more than 64."),
    ])
    func textPastItsBoundIsRefused(body: String, message: String) async throws {
        try await expectRefusal(422, message, request("POST", targetsPath, body: body))
    }

    @Test func whichMemberIsWrongIsSaidApart() async throws {
        let text = try await withServer { port in
            try await exchange(port, request("POST", targetsPath, body: #"{"targetName":7}"#)).text
        }
        #expect(text == #"{"message":"targetName is not text.","errors":[{"field":"targetName","message":"is not text"}]}"#)
    }

    @Test func aBodyNestedWithoutEndIsRefused() async throws {
        let body = String(repeating: "[", count: 30_000)
        try await expectRefusal(400, "The body is not JSON.", request("POST", targetsPath, body: body))
    }

    @Test func aRegionCannotChange() async throws {
        try await expectRefusal(
            422,
            "targetRegion can't change after creation; create the target anew in the other region and delete this one.",
            request("PUT", "\(targetsPath)/tgt_1", body: #"{"targetRegion":"eu-west-1"}"#))
    }

    @Test func anUpdateOfNothingIsRefused() async throws {
        try await expectRefusal(
            400, "Nothing to change: send any of targetName, targetBaseURL, targetTestPath, targetDefaultRuleEffect.",
            request("PUT", "\(targetsPath)/tgt_1", body: #"{"targetname":"x"}"#))
    }

    @Test func anotherNamesHostIsMisdirected() async throws {
        try await expectRefusal(421, request("GET", targetsPath, host: "rebound.example"))
    }

    @Test func aNameOfOursIsLetIn() async throws {
        let status = try await withServer(names: ["registry.example"]) { port in
            let request = request("GET", targetsPath, host: "registry.example:\(port)")
            return try await exchange(port, request).status
        }
        #expect(status == 200)
    }

    @Test(arguments: [
        ("Origin", "https://evil.example"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"),
    ])
    func aPageOfElsewhereMayNotChangeAnything(header: String, value: String) async throws {
        try await expectRefusal(403, request("POST", targetsPath, headers: [(header, value)], body: draft()))
    }

    @Test func aPageOfElsewhereMayAskAsAnyoneMay() async throws {
        let status = try await withServer { port in
            let request = request("GET", targetsPath, headers: [("Origin", "https://evil.example")])
            return try await exchange(port, request).status
        }
        #expect(status == 200)
    }
}

private func draft(name: String = "n", url: String = "http://a", path: String = "/", region: String = "r") -> String {
    #"{"targetName":"\#(name)","targetBaseURL":"\#(url)","targetTestPath":"\#(path)","targetRegion":"\#(region)"}"#
}
