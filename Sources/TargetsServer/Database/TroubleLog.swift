internal import DatabaseFiles
internal import Logging
internal import Synchronization

/// Reports a trouble of the database once, and again when it has become another trouble or is over: requests come by the thousand.
final class TroubleLog: Sendable {
    /// Reading works where the disk is full.
    enum Way: Hashable, Sendable { case reading, writing }

    private let logger: Logger
    private let known = Mutex<[Way: StoreError.Code]>([:])

    init(_ logger: Logger) { self.logger = logger }

    func note(_ error: StoreError, _ way: Way) {
        // Too many writes wait because of the lock.
        let code = error.code == .crowded ? .database(.locked) : error.code
        let isNews = known.withLock { $0.updateValue(code, forKey: way) } != code
        if isNews { logger.error("The targets database failed: \(error)") }
    }

    func noteSuccess(_ way: Way) {
        let wasTrouble = known.withLock { $0.removeValue(forKey: way) } != nil
        if wasTrouble { logger.notice("The targets database can be \(way == .reading ? "read" : "written") again.") }
    }
}
