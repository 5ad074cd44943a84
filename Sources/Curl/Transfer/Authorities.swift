internal import CCurl
internal import Glibc

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

/// The bundles that handshakes want. libcurl would keep one only, for the file that was used last, and parse again and again where files
/// alternate. For the engine's thread, which has them read elsewhere: it doesn't stand still for a file.
final class Authorities {
    enum Answer {
        /// nil when the file can't be read.
        case here(ParsedBundle?)
        case underWay
    }

    private struct Kept {
        /// Before its file was read for the first time, and when that can't be read.
        var bundle: ParsedBundle?
        var file: FileForm?
        /// When the file was last looked at.
        var seenAt: UInt64
        var usedAt: UInt64
        var isBeingRead = true
        /// Transfers that can't begin before it is there.
        var waiting: [UInt64]?
    }

    static let bundlesMax = 16
    /// Between two looks at a file: one that is being written would be parsed at each probe.
    private static let nanosecondsBetweenLooks: UInt64 = 1_000_000_000

    private let systemBundle: String
    private let startReading: (_ path: String) -> Void
    private var kept: [String: Kept] = [:]

    /// Reads on threads of its own, and posts what they have read.
    convenience init(systemBundle: String, _ mailbox: Mailbox) {
        self.init(systemBundle: systemBundle) { readElsewhere($0, mailbox) }
    }

    /// `startReading` sees to it that ``finish(_:_:_:)`` is called with the path, later.
    init(systemBundle: String, startReading: @escaping (_ path: String) -> Void) {
        (self.systemBundle, self.startReading) = (systemBundle, startReading)
    }

    /// The system's or that of a file, as it was last read. Where it is under way ``finish(_:_:_:)`` will name the transfer.
    func bundle(_ file: String?, for transfer: UInt64, now: UInt64 = monotonicNanoseconds()) -> Answer {
        let path = file ?? systemBundle
        guard let bundle = kept[path] else {
            makeRoom()
            kept[path] = Kept(seenAt: now, usedAt: now, waiting: [transfer])
            startReading(path)
            return .underWay
        }
        kept[path]?.usedAt = now
        if bundle.waiting != nil {
            kept[path]?.waiting?.append(transfer)
            return .underWay
        }
        if !bundle.isBeingRead, now - bundle.seenAt >= Self.nanosecondsBetweenLooks {
            kept[path]?.seenAt = now
            let isAsItWas = bundle.file?.isSettled == true && bundle.file == FileForm(path)
            if !isAsItWas {
                kept[path]?.isBeingRead = true
                startReading(path)
            }
        }
        return .here(bundle.bundle)
    }

    /// Its file was read. Answers the transfers that wait for it.
    func finish(_ path: String, _ file: FileForm?, _ bundle: ParsedBundle?) -> [UInt64] {
        guard let before = kept[path] else { return [] }
        kept[path] = Kept(
            bundle: bundle, file: file, seenAt: before.seenAt, usedAt: before.usedAt, isBeingRead: false, waiting: nil)
        return before.waiting ?? []
    }

    private func makeRoom() {
        let idle = kept.filter { !$0.value.isBeingRead }
        if kept.count >= Self.bundlesMax, let oldest = idle.min(by: { $0.value.usedAt < $1.value.usedAt }) {
            kept[oldest.key] = nil
        }
    }
}

private func readElsewhere(_ path: String, _ mailbox: Mailbox) {
    let read = { @Sendable in
        // Before it is read: what is written meanwhile makes another form of it.
        let file = FileForm(path)
        mailbox.post(.bundleRead(path: path, file, file == nil ? nil : ParsedBundle(path)))
    }
    // Without a thread it is read here after all: once a second at most.
    if startThread(named: "curl-authority", stackBytes: 1 << 20, read) != 0 { read() }
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
