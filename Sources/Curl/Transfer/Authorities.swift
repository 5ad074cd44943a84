internal import CCurl
internal import Glibc
internal import Synchronization

/// A file of authorities as OpenSSL keeps it, for as many handshakes as want it.
final class ParsedBundle: Sendable {
    // OpenSSL counts its references and locks it where it has to.
    nonisolated(unsafe) let store: OpaquePointer

    /// Takes 36 ms for Debian's. nil when the file can't be read.
    init?(_ path: String) {
        guard let store = rf_read_authorities(path) else { return nil }
        self.store = store
    }

    deinit { X509_STORE_free(store) }
}

/// The bundles that handshakes want, for as many engines as share them. libcurl would keep one only, for the file that was used last, and parse
/// again and again where files alternate. A bundle is read on a thread of its own: no engine's thread stands still for a file.
package final class Authorities: Sendable {
    enum Answer {
        /// nil when the file can't be read.
        case here(ParsedBundle?)
        case underWay
    }

    /// A transfer that can't begin before its bundle has been read, and the mailbox of its engine.
    struct Waiter: Sendable {
        let transfer: UInt64
        let mailbox: Mailbox?
    }

    fileprivate struct Kept {
        /// Before its file was read for the first time, and when that can't be read.
        var bundle: ParsedBundle?
        var file: FileForm?
        /// When the file was last looked at.
        var seenAt: UInt64
        var usedAt: UInt64
        var isBeingRead = true
        /// Transfers that can't begin before it is there.
        var waiting: [Waiter]?
    }

    static let bundlesMax = 16
    /// Between two looks at a file: one that is being written would be parsed at each probe.
    fileprivate static let nanosecondsBetweenLooks: UInt64 = 1_000_000_000

    let systemBundle: String
    private let read: @Sendable (_ path: String, Authorities) -> Void
    private let kept = Mutex<[String: Kept]>([:])

    /// Reads on threads of its own.
    package convenience init() { self.init(systemBundle: systemAuthorities, read: readElsewhere) }

    /// `read` sees to it that ``finish(_:_:_:)`` is called with the path, later.
    init(systemBundle: String, read: @escaping @Sendable (_ path: String, Authorities) -> Void) {
        (self.systemBundle, self.read) = (systemBundle, read)
    }

    /// The system's or that of a file, as it was last read. Where it is under way, ``finish(_:_:_:)`` tells the waiter.
    func bundle(_ file: String?, for waiter: Waiter, now: UInt64 = monotonicNanoseconds()) -> Answer {
        let path = file ?? systemBundle
        let (answer, isToBeRead) = kept.withLock { $0.bundle(path, for: waiter, now: now) }
        if isToBeRead { read(path, self) }
        return answer
    }

    /// Its file was read. Tells the engines of the transfers that wait for it, and answers these transfers.
    @discardableResult
    func finish(_ path: String, _ file: FileForm?, _ bundle: ParsedBundle?) -> [UInt64] {
        let waiting = kept.withLock { $0.finish(path, file, bundle) }
        for waiter in waiting { waiter.mailbox?.post(.bundleRead(waiter.transfer)) }
        return waiting.map(\.transfer)
    }
}

extension [String: Authorities.Kept] {
    /// Answers also whether the file has to be read.
    fileprivate mutating func bundle(_ path: String, for waiter: Authorities.Waiter, now: UInt64) -> (
        answer: Authorities.Answer, isToBeRead: Bool
    ) {
        guard let bundle = self[path] else {
            makeRoom()
            self[path] = Value(seenAt: now, usedAt: now, waiting: [waiter])
            return (.underWay, true)
        }
        self[path]?.usedAt = now
        if bundle.waiting != nil {
            self[path]?.waiting?.append(waiter)
            return (.underWay, false)
        }
        var isToBeRead = false
        if !bundle.isBeingRead, now > bundle.seenAt, now - bundle.seenAt >= Authorities.nanosecondsBetweenLooks {
            self[path]?.seenAt = now
            let isAsItWas = bundle.file?.isSettled == true && bundle.file == FileForm(path)
            isToBeRead = !isAsItWas
            if isToBeRead { self[path]?.isBeingRead = true }
        }
        return (.here(bundle.bundle), isToBeRead)
    }

    fileprivate mutating func finish(_ path: String, _ file: FileForm?, _ bundle: ParsedBundle?) -> [Authorities.Waiter] {
        guard let before = self[path] else { return [] }
        self[path] = Value(
            bundle: bundle, file: file, seenAt: before.seenAt, usedAt: before.usedAt, isBeingRead: false, waiting: nil)
        return before.waiting ?? []
    }

    private mutating func makeRoom() {
        let idle = filter { !$0.value.isBeingRead }
        if count >= Authorities.bundlesMax, let oldest = idle.min(by: { $0.value.usedAt < $1.value.usedAt }) {
            self[oldest.key] = nil
        }
    }
}

private func readElsewhere(_ path: String, _ authorities: Authorities) {
    let read = { @Sendable in
        // Before it is read: what is written meanwhile makes another form of it.
        let file = FileForm(path)
        authorities.finish(path, file, file == nil ? nil : ParsedBundle(path))
    }
    // Without a thread it is read here after all: once a second at most.
    if startThread(named: "curl-authority", stackBytes: 1 << 20, { _ = read() }) != 0 { _ = read() }
}

/// By what is seen that a file has changed.
struct FileForm: Hashable, Sendable {
    private let inode: ino_t
    private let size: off_t
    private let modifiedAt: Int64
    private let modifiedNanoseconds: Int

    /// It had been written long enough ago when it was looked at. Of one that was just written, more may come at the same time of the
    /// kernel's clock.
    let isSettled: Bool

    init?(_ path: String) {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        (inode, size) = (facts.st_ino, facts.st_size)
        (modifiedAt, modifiedNanoseconds) = (Int64(facts.st_mtim.tv_sec), facts.st_mtim.tv_nsec)
        // A time in the future is a wrong one, and as good as any other.
        isSettled = abs(wallMilliseconds() / 1000 - modifiedAt) > 2
    }
}
