// Fifty clients of a Targets API at once, and what each of them did.

import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

private struct Answer {
    var status: Int
    var tag: String?
    var text: String
    /// By path.
    var names: [String: String]
    var began: Int
    var ended: Int
}

/// What one worker has done.
struct Share: Sendable {
    var operations: [Operation] = []
    var created: [(list: String, target: String, ended: Int)] = []
    /// Which targets there were.
    var lists: [(path: String, targets: Set<String>, began: Int, ended: Int)] = []

    /// By target, of a share that has only read.
    var names: [String: String] { Dictionary(operations.compactMap { one in one.name.map { (one.target, $0) } }) { $1 } }
}

/// Fifty clients of one server, each with a connection and a thread of its own.
final class Traffic: Sendable {
    static let token = "t0ken-of-many-clients"
    static let lists = ["a", "b", "c", "d"].map { "/api/clients/\($0)/targets" }
    private static let workers = 50

    let done = Watched(0)
    let port: Int
    private let seed: Int
    /// Targets that nobody has deleted yet, by the path of their list.
    private let targets = Mutex<[String: [String]]>([:])

    init(port: Int, seed: Int) { (self.port, self.seed) = (port, seed) }

    /// `each`: how many operations each worker begins; fewer where the server ended before.
    func run(each: Int) async throws -> (shares: [Share], counters: Set<String>) {
        let first = try await onThread {
            let worker = try Worker(of: self, port: self.port, number: 0, seed: 0)
            for list in Self.lists { try worker.create(in: list) }
            return worker.share
        }
        let counters = targets.withLock { targets in
            defer { targets = [:] }
            return targets.compactMapValues(\.first)
        }
        let shares = try await withThrowingTaskGroup(of: Share.self) { group in
            for number in 1...Self.workers {
                group.addTask {
                    try await onThread {
                        let worker = try Worker(of: self, port: self.port, number: number, seed: self.seed)
                        for _ in 0..<each { guard try worker.step(counters) else { break } }
                        return worker.share
                    }
                }
            }
            return try await group.reduce(into: [first]) { $0.append($1) }
        }
        return (shares, Set(counters.values))
    }

    /// What there is at last.
    func read(port: Int) async throws -> Share {
        try await onThread {
            let worker = try Worker(of: self, port: port, number: 0, seed: 0)
            for list in Self.lists { guard try worker.list(list) else { throw SupportError("no list") } }
            return worker.share
        }
    }

    func target(in list: String, _ generator: inout SeededGenerator) -> String? {
        targets.withLock { $0[list]?.randomElement(using: &generator) }
    }

    func add(_ target: String, to list: String) { targets.withLock { $0[list, default: []].append(target) } }

    func remove(_ target: String) {
        targets.withLock { targets in
            for list in targets.keys where target.hasPrefix(list) { targets[list]?.removeAll { $0 == target } }
        }
    }
}

/// One client. Every operation is false when the server has gone meanwhile.
private final class Worker {
    private(set) var share = Share()
    private let (traffic, connection): (Traffic, Connection)
    private let number: Int
    private var generator: SeededGenerator
    private var writes = 0

    init(of traffic: Traffic, port: Int, number: Int, seed: Int) throws {
        (self.traffic, self.connection, self.number) = (traffic, try Connection(port: port), number)
        generator = SeededGenerator(state: UInt64(seed * 1000 + number))
    }

    deinit { connection.close() }

    func step(_ counters: [String: String]) throws -> Bool {
        defer { traffic.done.change { $0 += 1 } }
        let list = Traffic.lists.randomElement(using: &generator) ?? ""
        let (counter, target) = (counters[list] ?? "", traffic.target(in: list, &generator))
        switch (Int.random(in: 0..<100, using: &generator), target) {
        case (..<15, _): return try read(counter) != nil
        case (..<45, _): return try increment(counter)
        case (..<48, _): return try self.list(list)
        case (..<61, _), (_, nil): return try create(in: list)
        case (..<75, let target?): return try read(target) != nil
        case (..<88, let target?): return try change(target, "PUT", to: newName())
        case (_, let target?): return try change(target, "DELETE", to: nil)
        }
    }

    /// None in a worker's step where the server has gone.
    private func read(_ target: String) throws -> Answer? {
        guard let answer = try ask("GET", target) else { return nil }
        record(target, answer.status == 404 ? nil : answer.names[target], answer)
        try expect(answer, [200, 404])
        return answer
    }

    /// Reads, adds one, and writes if it still is as it was read.
    private func increment(_ counter: String) throws -> Bool {
        guard let before = try read(counter) else { return false }
        guard let name = before.names[counter], let tag = before.tag else { throw SupportError("\(counter): \(before)") }
        let next = newName(count(in: name) + 1)
        let began = now()
        guard let answer = try ask("PUT", counter, name: next, tag: tag) else {
            record(counter, next, isWrite: true, began: began, ended: Operation.never)
            return false
        }
        try expect(answer, [200, 412])
        if answer.status == 200 {
            record(counter, name, answer)
            record(counter, next, isWrite: true, answer)
        }
        return true
    }

    /// Whatever it was. nil deletes it.
    private func change(_ target: String, _ method: String, to name: String?) throws -> Bool {
        let began = now()
        guard let answer = try ask(method, target, name: name) else {
            record(target, name, isWrite: true, began: began, ended: Operation.never)
            return false
        }
        try expect(answer, [200, 404])
        record(target, answer.status == 200 ? name : nil, isWrite: answer.status == 200, answer)
        if name == nil || answer.status == 404 { traffic.remove(target) }
        return true
    }

    @discardableResult
    func create(in list: String) throws -> Bool {
        let (name, began) = (newName(), now())
        guard let answer = try ask("POST", list, name: name) else {
            record("", name, isWrite: true, began: began, ended: Operation.never)
            return false
        }
        try expect(answer, [200])
        guard let target = answer.names.keys.first else { throw SupportError("\(answer)") }
        record(target, name, isWrite: true, answer)
        share.created.append((list, target, answer.ended))
        traffic.add(target, to: list)
        return true
    }

    /// All that there is; what isn't there is told from what was created.
    func list(_ list: String) throws -> Bool {
        guard let answer = try ask("GET", list) else { return false }
        try expect(answer, [200])
        for (target, name) in answer.names { record(target, name, answer) }
        share.lists.append((list, Set(answer.names.keys), answer.began, answer.ended))
        return true
    }

    /// `COUNT WORKER-WRITE`: nobody writes the same twice.
    private func newName(_ count: Int = 0) -> String {
        writes += 1
        return "\(count) \(number)-\(writes)"
    }

    private func record(_ target: String, _ name: String?, isWrite: Bool = false, _ answer: Answer) {
        record(target, name, isWrite: isWrite, began: answer.began, ended: answer.ended)
    }

    private func record(_ target: String, _ name: String?, isWrite: Bool, began: Int, ended: Int) {
        share.operations.append(Operation(target: target, name: name, isWrite: isWrite, began: began, ended: ended))
    }

    /// Nothing else is an answer to what these clients ask: no 500, and so no locked database.
    private func expect(_ answer: Answer, _ statuses: Set<Int>) throws {
        guard statuses.contains(answer.status) else { throw SupportError("worker \(number): \(answer.status) \(answer.text)") }
    }

    /// None when the server has gone: nobody knows then whether it was done.
    private func ask(_ method: String, _ path: String, name: String? = nil, tag: String? = nil) throws -> Answer? {
        let others = #","targetBaseURL":"https://a.example","targetTestPath":"/","targetRegion":"eu""#
        let body = name.map { "{\"targetName\":\"\($0)\"\(method == "POST" ? others : "")}" } ?? ""
        var lines = ["\(method) \(path) HTTP/1.1", "Host: 127.0.0.1", "Authorization: \(Traffic.token)"]
        if !body.isEmpty { lines += ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] }
        if let tag { lines.append("If-Match: \(tag)") }
        while true {
            let began = now()
            guard connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body), let raw = receive() else { return nil }
            let answer = try Answer(head: raw.head, body: raw.body, began: began, ended: now())
            // Asked too often: nothing was done.
            if answer.status != 429 { return answer }
        }
    }

    private func receive() -> (head: String, body: [UInt8])? {
        var bytes: [UInt8] = []
        while true {
            if let blank = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: bytes[..<blank.lowerBound], as: UTF8.self)
                let length = field("content-length", of: head).flatMap { Int($0) } ?? 0
                if bytes.count >= blank.upperBound + length { return (head, Array(bytes[blank.upperBound...])) }
            }
            guard let more = connection.readBytes() else { return nil }
            bytes += more
        }
    }
}

extension Answer {
    fileprivate init(head: String, body: [UInt8], began: Int, ended: Int) throws {
        let words = head.prefix { $0 != "\r\n" }.split(separator: " ")
        guard words.count > 1, let status = Int(words[1]) else { throw SupportError("no answer: \(head)") }
        (self.status, tag, text) = (status, field("etag", of: head), String(decoding: body, as: UTF8.self))
        let document = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]
        let records = document?["targets"] as? [[String: String]] ?? []
        let pairs = records.map { record in
            ("/api/clients/\(record["pKey"] ?? "")/targets/\(record["sKey"] ?? "")", record["targetName"] ?? "")
        }
        (names, self.began, self.ended) = (Dictionary(pairs) { $1 }, began, ended)
    }
}

private func field(_ name: String, of head: String) -> String? {
    let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
    return line.map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
}

/// Nanoseconds of CLOCK_MONOTONIC, one and the same for all threads.
private func now() -> Int { Int(DispatchTime.now().uptimeNanoseconds) }
