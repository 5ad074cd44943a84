import Glibc
import Synchronization
import TestSupport

/// One place of the hostile server: a port, and what it does with the requests that come there, one after the other.
package final class Lane: Sendable {
    struct Script: Sendable {
        var answers: ArraySlice<Answer> = []
        /// Once all answers are given; none when the connection is to be closed instead.
        var last: [UInt8]?
    }

    let descriptor: Int32
    package let port: Int
    private let script = Mutex(Script())
    private let given = Atomic<Int>(0)

    init() throws {
        (descriptor, port) = try boundSocket("127.0.0.1")
        guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0, listen(descriptor, 512) == 0 else {
            throw SupportError.system("listen")
        }
    }

    deinit { close(descriptor) }

    package var origin: String { "http://127.0.0.1:\(port)" }
    /// How many answers of scripts were given so far.
    package var answersGiven: Int { given.load(ordering: .relaxed) }

    package func begin(_ answers: [Answer], last: [UInt8]?) { script.withLock { $0 = Script(answers: answers[...], last: last) } }

    /// What a request gets; none when its connection is to be closed.
    func next() -> Answer? {
        script.withLock { script in
            if let answer = script.answers.popFirst() {
                given.add(1, ordering: .relaxed)
                return answer
            }
            return script.last.map { bytes in
                var answer = Answer()
                (answer.pieces, answer.ending) = ([bytes], .stays)
                return answer
            }
        }
    }

    /// What a connection gets before it has asked for anything.
    func nextUnasked() -> Answer? {
        script.withLock { script in
            guard script.answers.first?.comesUnasked == true else { return nil }
            given.add(1, ordering: .relaxed)
            return script.answers.popFirst()
        }
    }
}
