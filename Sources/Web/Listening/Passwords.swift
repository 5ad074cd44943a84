import CCrypt
import ConnectionLimits
import Digests
import Dispatch
import NIOCore
import Synchronization

/// Checks passwords against bcrypt hashes, which is meant to take long: on a thread of its own, for a bounded queue, and once for each
/// password that is right. What was right is remembered as an HMAC under a key that lives as long as the process.
final class Passwords: Sendable {
    enum Answer: Hashable, Sendable { case right, wrong, busy }

    /// So many may wait for the thread; a check takes 60 to 250 ms.
    static let waitingMax = 16
    /// Of one peer: whoever guesses leaves room for the others.
    static let waitingOfOnePeerMax = 2
    /// bcrypt looks at no more than 72 bytes, and nothing longer is worth a copy.
    private static let passwordMax = 1024

    private struct State {
        var users: [String: String] = [:]
        var accepted: [String: Digest] = [:]
        var waiting = 0
    }

    private let key: [UInt8] = {
        var random = SystemRandomNumberGenerator()
        return (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }()
    private let thread = DispatchQueue(label: "passwords", qos: .utility)
    private let state = Mutex(State())
    private let peers = PeerCounts(limit: Passwords.waitingOfOnePeerMax)

    var isEmpty: Bool { state.withLock { $0.users.isEmpty } }

    /// - Parameter users: names and hashes.
    func replace(_ users: [String: String]) {
        state.withLock { state in
            guard state.users != users else { return }
            (state.users, state.accepted) = (users, [:])
        }
    }

    /// - Parameter channel: of who asks.
    func check(_ name: String, _ password: String, from channel: any Channel) async -> Answer {
        guard password.utf8.count <= Self.passwordMax, !password.utf8.contains(0) else { return .wrong }
        let (work, isKnown, known) = state.withLock { state in
            (Self.work(for: name, among: state.users), state.users[name] != nil, state.accepted[name])
        }
        let hash = work.hash
        let code = code(name, password, hash)
        if let known, known == code { return .right }
        guard let share = peers.enter(channel) else { return .busy }
        defer { peers.leave(share) }
        let hasRoom = state.withLock { state in
            guard state.waiting < Self.waitingMax else { return false }
            state.waiting += 1
            return true
        }
        guard hasRoom else { return .busy }
        let isRight = await withCheckedContinuation { continuation in
            thread.async {
                let isRight = Self.matches(password, hash)
                if !isRight { for setting in work.rest { _ = Self.crypt(password, setting) } }
                continuation.resume(returning: isRight)
            }
        }
        return state.withLock { state in
            state.waiting -= 1
            guard isRight, isKnown, state.users[name] == hash else { return .wrong }
            state.accepted[name] = code
            return .right
        }
    }

    /// Each part with its length before it, so that no two triples are the same text.
    private func code(_ parts: String...) -> Digest {
        Digest(
            of: parts.flatMap { part in withUnsafeBytes(of: part.utf8.count.bigEndian) { Array($0) } + Array(part.utf8) },
            key: key)
    }

    /// What is done with a password that is wrong: the same for every name, so that none can be told by the time that it takes.
    ///
    /// bcrypt takes 2 to the power of its cost. A name that isn't there is checked against the hash with the highest one. What a lower cost
    /// leaves of that, the costs from it to the highest make good: 2^c + (2^c + 2^(c+1) + … + 2^(h−1)) = 2^h.
    static func work(for name: String, among users: [String: String]) -> (hash: String, rest: [String]) {
        let highest = users.values.max { (cost($0), $0) < (cost($1), $1) } ?? ""
        guard let hash = users[name] else { return (hash: highest, rest: []) }
        return (hash: hash, rest: (cost(hash)..<cost(highest)).map { setting(hash, cost: $0) })
    }

    /// As in `$2y$10$…`.
    private static func cost(_ hash: String) -> Int {
        let parts = hash.split(separator: "$")
        return parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    }

    private static func setting(_ hash: String, cost: Int) -> String {
        let parts = hash.split(separator: "$")
        guard parts.count == 3 else { return hash }
        return "$\(parts[0])$\(cost < 10 ? "0" : "")\(cost)$\(parts[2])"
    }

    private static func matches(_ password: String, _ hash: String) -> Bool {
        guard let ours = crypt(password, hash) else { return false }
        let theirs = Array(hash.utf8)
        guard ours.count == theirs.count, !ours.isEmpty else { return false }
        // In constant time: all bytes are looked at.
        return zip(ours, theirs).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// crypt_r(3) of libxcrypt: a hash says how it was made.
    static func crypt(_ password: String, _ setting: String) -> [UInt8]? {
        let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        defer { data.deallocate() }
        data.initialize(to: crypt_data())
        return crypt_r(password, setting, data).map { Array(String(cString: $0).utf8) }
    }
}
