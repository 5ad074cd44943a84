internal import CCurl
internal import Glibc

/// The parsed bundles of authorities, as OpenSSL keeps them. libcurl would keep one only, for the file that was used last, and parse again
/// and again where files alternate: 36 ms for Debian's. For the engine's thread alone, where a bundle is parsed when it is wanted.
final class Authorities {
    private struct Bundle {
        let store: OpaquePointer
        let file: FileForm
        /// When the file was last looked at.
        var seenAt: UInt64
        var usedAt: UInt64
    }

    /// How long libcurl may keep a bundle that it reads itself: it doesn't look whether the file has changed.
    static let secondsMax = 60
    static let bundlesMax = 16
    /// Between two looks at a file: parsing one that is being written at each probe would keep the engine's thread from all else.
    private static let nanosecondsBetweenLooks: UInt64 = 1_000_000_000

    private let systemBundle: String
    private var bundles: [String: Bundle] = [:]

    init(systemBundle: String) { self.systemBundle = systemBundle }

    deinit {
        for bundle in bundles.values { X509_STORE_free(bundle.store) }
    }

    func path(_ file: String?) -> String { file ?? systemBundle }

    /// The system's or that of a file; nil when it can't be read.
    func bundle(_ file: String?, now: UInt64 = monotonicNanoseconds()) -> OpaquePointer? {
        let path = path(file)
        let store = recall(path, now) ?? read(path, now)
        bundles[path]?.usedAt = now
        return store
    }

    private func recall(_ path: String, _ now: UInt64) -> OpaquePointer? {
        guard let bundle = bundles[path] else { return nil }
        if now - bundle.seenAt < Self.nanosecondsBetweenLooks { return bundle.store }
        if bundle.file.isSettled, bundle.file == FileForm(path) {
            bundles[path]?.seenAt = now
            return bundle.store
        }
        drop(path)
        return nil
    }

    private func read(_ path: String, _ now: UInt64) -> OpaquePointer? {
        // Before it is read: what is written meanwhile makes another form of it.
        guard let form = FileForm(path), let store = rf_read_authorities(path) else { return nil }
        if bundles.count >= Self.bundlesMax, let oldest = bundles.min(by: { $0.value.usedAt < $1.value.usedAt }) {
            drop(oldest.key)
        }
        bundles[path] = Bundle(store: store, file: form, seenAt: now, usedAt: now)
        return store
    }

    private func drop(_ path: String) {
        if let bundle = bundles.removeValue(forKey: path) { X509_STORE_free(bundle.store) }
    }
}

/// By what is seen that a file has changed.
private struct FileForm: Equatable {
    let inode: ino_t
    let size: off_t
    let modifiedAt: Int64
    let modifiedNanoseconds: Int
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

    static func == (one: Self, other: Self) -> Bool {
        (one.inode, one.size, one.modifiedAt, one.modifiedNanoseconds)
            == (other.inode, other.size, other.modifiedAt, other.modifiedNanoseconds)
    }
}
