internal import CCurl

/// The end of transfers whose timeout libcurl has forgotten.
///
/// When a socket is ready less than a millisecond before a transfer's timeout, libcurl 7.88.1 drops the timeout (`add_next_timeout` counts in
/// whole milliseconds) and finds a millisecond left (`Curl_timeleft`). From there on nothing ends the transfer but its server.
extension Loop {
    /// libcurl counts in whole milliseconds, and its word is the better one.
    static let overdueAfter: UInt64 = 20_000_000

    /// When the next transfer is overdue that libcurl still has.
    var nextOverdue: UInt64? {
        while let first = overdues.first, transfers[first.id] == nil { overdues.removeFirst() }
        return overdues.first?.nanoseconds
    }

    func endOverdue() {
        guard overdues.first != nil else { return }
        let now = monotonicNanoseconds()
        while let next = nextOverdue, next <= now, let id = overdues.first?.id {
            overdues.removeFirst()
            guard let transfer = transfers[id], transfer.stage == .running else { continue }
            lookForStandstill()
            transfer.isOverdue = true
            end(transfer, transfer.failure(CURLE_OPERATION_TIMEDOUT))
        }
    }
}
