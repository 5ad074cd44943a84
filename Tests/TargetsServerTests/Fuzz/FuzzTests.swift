import Foundation
import Glibc
import TestSupport
import Testing

private let environment = ProcessInfo.processInfo.environment

/// Requests that nobody planned, from a seed: the server answers each with a status that it documents, or closes; it knows nobody
/// without a token; and it still serves afterwards. RANGEFINDER_SEED repeats a run.
@Suite(.timeLimit(.minutes(20))) struct FuzzTests {
    private static let cases = environment["RANGEFINDER_LONG"] != nil ? 100_000 : 2_000
    private static let workers = 4
    /// What was created is listed again and again, so a list without end would take all the time.
    private static let casesPerServer = 2_000

    @Test func whateverIsSentIsAnsweredAsDocumentedOrClosed() async throws {
        let seed = environment["RANGEFINDER_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...UInt64(UInt32.max))
        // On standard error at once: what crashes says nothing afterwards.
        FileHandle.standardError.write(Data("fuzzing the Targets API: RANGEFINDER_SEED=\(seed), \(Self.cases) cases\n".utf8))
        var seen: [Int: Int] = [:]
        for first in stride(from: 0, to: Self.cases, by: Self.casesPerServer) {
            let more = try await fuzz(first..<min(first + Self.casesPerServer, Self.cases), seed: seed)
            seen.merge(more, uniquingKeysWith: +)
        }
        // A generator that only makes refused requests would prove little.
        let rare = [403, 412, 413, 415, 421]
        for status in [200, 304, 400, 401, 404, 405, 422] + (Self.cases > 10_000 ? rare : []) {
            #expect(seen[status, default: 0] > 0, "\(status) never came with seed \(seed): \(seen)")
        }
        #expect(seen[200, default: 0] > Self.cases / 20, "\(seen)")
    }

    /// How often each status came.
    private func fuzz(_ cases: Range<Int>, seed: UInt64) async throws -> [Int: Int] {
        try await withServer { port in
            let seen = try await withThrowingTaskGroup(of: [Int: Int].self) { group in
                for worker in 0..<Self.workers {
                    group.addTask {
                        try await onThread {
                            let fuzzer = Fuzzer(port: port, seed: seed)
                            for number in cases.dropFirst(worker) where (number - cases.lowerBound) % Self.workers == worker {
                                try fuzzer.run(number)
                            }
                            return fuzzer.tally
                        }
                    }
                }
                return try await group.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
            }
            let list = try await exchange(port, request("GET", targetsPath))
            #expect(list.status == 200)
            #expect(try Envelope(list.text).targets != nil)
            return seen
        }
    }
}

/// Sends one case after the other, over one connection as long as the server keeps it.
private final class Fuzzer {
    private(set) var tally: [Int: Int] = [:]
    private let port: Int
    private let seed: UInt64
    private var wire: Wire?
    /// What came before on that connection: an answer out of step is its fault.
    private var before = "nothing"
    /// What was created last, for others to aim at.
    private var key = "tgt_none"
    private var tag = #""0""#
    /// What a stranger is told, whatever it asks for; by whether it was a HEAD, whose answer has no body.
    private var refusals: [Bool: String] = [:]

    private static let documented: Set<Int> = [200, 304, 400, 401, 403, 404, 405, 409, 412, 413, 415, 421, 422, 429]
    /// What the HTTP library answers by itself, to what isn't HTTP.
    private static let ofTheLibrary: Set<Int> = [400, 408, 413, 414, 417, 431, 501, 505]
    private static let toStrangers: Set<Int> = [400, 401, 403, 413, 414, 421, 429, 431, 501, 505]

    init(port: Int, seed: UInt64) { (self.port, self.seed) = (port, seed) }

    func run(_ number: Int) throws {
        var mutant = Mutant(generator: SeededGenerator(state: seed &* 0x1_0000_0001 &+ UInt64(number)), key: key, tag: tag)
        mutant.mutate()
        do {
            let answers = try exchange(mutant)
            for answer in answers { try judge(answer, to: mutant) }
            if !mutant.isBroken, answers.isEmpty { throw SupportError("no answer to what is HTTP") }
        } catch let error as SupportError {
            let said = String(decoding: mutant.bytes.prefix(600), as: UTF8.self).debugDescription
            let place = mutant.isBroken ? "on a connection of its own" : "after \(before)"
            throw SupportError("RANGEFINDER_SEED=\(seed), case \(number): \(error.what); the request, \(place), was \(said)")
        }
        if !mutant.isBroken { before = wire == nil ? "nothing" : "case \(number), \(mutant.firstWords)" }
    }

    /// What is broken has a connection of its own that says when it has said all: who waits for the rest learns that none comes.
    private func exchange(_ mutant: Mutant) throws -> [RawAnswer] {
        if mutant.isBroken {
            let wire = try Wire(port: port)
            wire.connection.send(mutant.bytes)
            wire.connection.finishSending()
            var answers: [RawAnswer] = []
            while let answer = try wire.next(toHead: mutant.isHead, mayBeReset: true) { answers.append(answer) }
            return answers
        }
        for isFresh in [wire == nil, true] {
            let wire = try wire ?? Wire(port: port)
            self.wire = wire
            wire.connection.send(mutant.bytes)
            // A connection that the server closes while a request is on its way is nobody's fault (RFC 9112, section 9.3.1).
            guard let answer = try wire.next(toHead: mutant.isHead, mayBeReset: !isFresh) else {
                self.wire = nil
                continue
            }
            if answer.isLast { self.wire = nil }
            return [answer]
        }
        return []
    }

    private func judge(_ answer: RawAnswer, to mutant: Mutant) throws {
        tally[answer.status, default: 0] += 1
        let allowed = mutant.isBroken ? Self.documented.union(Self.ofTheLibrary) : Self.documented
        guard allowed.contains(answer.status) else { throw SupportError("the answer is \(answer.text)") }
        guard answer.body.isEmpty || (try? Envelope(String(decoding: answer.body, as: UTF8.self))) != nil else {
            throw SupportError("the body is none of the API's: \(answer.text)")
        }
        guard mutant.isStranger else {
            if let text = answer.text.split(separator: #""sKey":""#).dropFirst().last { key = String(text.prefix { $0 != "\"" }) }
            tag = answer.headers["etag"] ?? tag
            return
        }
        guard Self.toStrangers.contains(answer.status) else { throw SupportError("a stranger is told \(answer.text)") }
        // The rest is told before the token is looked at, and none of it looks at the path; too often is too often everywhere.
        guard answer.status == 401 else { return }
        let told = answer.text.split(separator: "\r\n").filter { !$0.hasPrefix("Date:") && !$0.hasPrefix("Connection:") }
        let said = told.joined(separator: "\n")
        let refusal = refusals[mutant.isHead] ?? said
        refusals[mutant.isHead] = refusal
        guard said == refusal else { throw SupportError("one stranger is told \(said), another \(refusal)") }
    }
}

private struct RawAnswer {
    var status: Int
    var headers: [String: String]
    var body: [UInt8]
    var text: String
    var isLast: Bool { headers["connection"]?.lowercased() == "close" }
}

/// A connection, and its answers one by one.
private final class Wire {
    let connection: Connection
    private var bytes: [UInt8] = []

    init(port: Int) throws {
        connection = try Connection(port: port)
        // Longer than anything takes here, and shorter than the server's own patience: what it waits for would be a hang.
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(connection.descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { connection.close() }

    /// None once the server has closed.
    func next(toHead isHead: Bool, mayBeReset: Bool) throws -> RawAnswer? {
        while true {
            if let answer = try taken(toHead: isHead) {
                // 100 Continue is no answer yet.
                if answer.status >= 200 { return answer }
                continue
            }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(connection.descriptor, &buffer, buffer.count, 0)
            let error = errno
            if count > 0 {
                bytes += buffer[..<count]
            } else if count == 0 || (mayBeReset && error == ECONNRESET) {
                guard bytes.isEmpty || mayBeReset else { throw SupportError("an answer was cut short: \(bytes.count) bytes") }
                return nil
            } else {
                throw SupportError(error == EAGAIN ? "no answer within 20 s, and no close" : "recv: errno \(error)")
            }
        }
    }

    /// The next whole answer of what was received. The server says the length of each.
    private func taken(toHead isHead: Bool) throws -> RawAnswer? {
        guard let blank = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: bytes[..<blank.lowerBound], as: UTF8.self)
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = lines[0].split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count == 3, ["HTTP/1.0", "HTTP/1.1"].contains(words[0]), words[1].utf8.count == 3, let status = Int(words[1])
        else {
            throw SupportError("no status line: \(lines[0].debugDescription)")
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex, !line.contains("\0") else {
                throw SupportError("no header: \(line.debugDescription)")
            }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        let hasNone = isHead || status < 200 || status == 304
        guard let length = hasNone ? 0 : headers["content-length"].flatMap({ Int($0) }) else {
            throw SupportError("no length: \(head.debugDescription)")
        }
        guard bytes.count >= blank.upperBound + length else { return nil }
        let body = Array(bytes[blank.upperBound..<(blank.upperBound + length)])
        bytes.removeFirst(blank.upperBound + length)
        let text = head + "\r\n\r\n" + String(decoding: body, as: UTF8.self)
        return RawAnswer(status: status, headers: headers, body: body, text: text)
    }
}
