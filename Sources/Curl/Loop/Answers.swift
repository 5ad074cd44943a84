internal import Dispatch

/// The reports of transfers that ended in this turn. They are delivered together, so that a busy turn wakes the tasks' threads once and not
/// for each.
struct Answers {
    private var ended:
        [(continuation: CheckedContinuation<TransferReport, Never>, report: TransferReport, pending: PendingBody?)] =
            []

    mutating func append(_ transfer: Transfer, _ report: TransferReport) {
        ended.append((transfer.continuation, report, transfer.pendingBody(of: report)))
    }

    mutating func deliver() {
        guard !ended.isEmpty else { return }
        for (continuation, report, pending) in ended {
            guard let pending else {
                continuation.resume(returning: report)
                continue
            }
            // Not here, nor in the caller's task: it may run on this thread, too.
            DispatchQueue.global().async { continuation.resume(returning: pending.finished(report)) }
        }
        ended.removeAll(keepingCapacity: true)
    }
}
