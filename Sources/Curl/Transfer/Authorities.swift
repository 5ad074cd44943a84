internal import CCurl

/// The parsed bundles of authorities, as OpenSSL keeps them. libcurl would keep one only, for the file that was used last, and parse again
/// and again where files alternate: 36 ms for Debian's. For the engine's thread alone, where a bundle is parsed when it is wanted.
final class Authorities {
    private struct Bundle {
        let store: OpaquePointer
        let readAt: UInt64
        var usedAt: UInt64
    }

    /// How old a parsed bundle may be: a renewed or withdrawn authority is noticed after that.
    static let secondsMax = 60
    static let bundlesMax = 16

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
        if now - bundle.readAt < UInt64(Self.secondsMax) * 1_000_000_000 { return bundle.store }
        drop(path)
        return nil
    }

    private func read(_ path: String, _ now: UInt64) -> OpaquePointer? {
        guard let store = rf_read_authorities(path) else { return nil }
        if bundles.count >= Self.bundlesMax, let oldest = bundles.min(by: { $0.value.usedAt < $1.value.usedAt }) {
            drop(oldest.key)
        }
        bundles[path] = Bundle(store: store, readAt: now, usedAt: now)
        return store
    }

    private func drop(_ path: String) {
        if let bundle = bundles.removeValue(forKey: path) { X509_STORE_free(bundle.store) }
    }
}
