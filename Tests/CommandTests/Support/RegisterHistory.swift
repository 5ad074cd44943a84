// What many clients did to one target at once, and whether a register could have answered so.

/// A write or a read of one target, which is a register: its name is written, and no two writes write the same.
struct Operation: Sendable {
    /// Empty for a create that was never answered.
    var target: String
    /// nil: there is no target.
    var name: String?
    var isWrite = false
    /// Nanoseconds of a monotonic clock; `ended` is `never` where no answer came.
    var began: Int
    var ended: Int

    static let never = Int.max
}

/// All operations on a value: the write, and the reads that it explains.
private struct Cluster {
    var writes: [Operation] = []
    var firstEnd = Operation.never
    var lastBegin = Int.min

    /// All through a forward zone the register has this value; within a backward one, at some moment.
    var isForward: Bool { firstEnd < lastBegin }
    var zone: (low: Int, high: Int) { (min(firstEnd, lastBegin), max(firstEnd, lastBegin)) }

    mutating func add(_ operation: Operation) {
        if operation.isWrite { writes.append(operation) }
        firstEnd = min(firstEnd, operation.ended)
        lastBegin = max(lastBegin, operation.began)
    }
}

/// Why no register could have answered so; nil when one could.
///
/// A. Gibbons, P. Korach: Testing shared memories, SIAM Journal on Computing 26 (1997). Every read is explained by the one write
/// of its value, so a history is linear when no read ends before its write begins, no two forward zones overlap, and no backward
/// zone lies within a forward one. Each register may be looked at alone (Herlihy, Wing 1990, theorem 1).
func flaw(of operations: [Operation]) -> String? {
    var clusters: [String?: Cluster] = [:]
    for operation in operations { clusters[operation.name, default: Cluster()].add(operation) }
    // What was neither answered nor read may never have happened.
    clusters = clusters.filter { $0.value.firstEnd != Operation.never }
    for (name, cluster) in clusters {
        let name = name ?? "no target"
        guard let write = cluster.writes.min(by: { $0.began < $1.began }) else { return "\(name) was read and never written" }
        if cluster.writes.count(where: { $0.ended != Operation.never }) > 1 { return "\(name) was acknowledged twice" }
        if cluster.firstEnd < write.began { return "\(name) was read before it was written" }
    }
    var forward: (name: String?, high: Int)?
    for (name, cluster) in clusters.sorted(by: { $0.value.zone.low < $1.value.zone.low }) {
        if let forward, cluster.zone.low < forward.high, cluster.isForward || cluster.zone.high < forward.high {
            return "\(forward.name ?? "no target") was there before and after \(name ?? "no target")"
        }
        if cluster.isForward { forward = (name, cluster.zone.high) }
    }
    // A key is never given twice: a target that is gone stays so, also for a change of it.
    let gone = clusters[nil]?.firstEnd ?? Operation.never
    return operations.first { $0.name != nil && $0.began > gone && $0.ended != Operation.never }.map { "\($0) after its delete" }
}

/// The same where each value but the first was made of the one before, which tells the order of all: no operation on a later value
/// may have ended before one on an earlier value began.
func flaw(ofCounter operations: [Operation]) -> String? {
    func number(_ operation: Operation) -> Int { operation.name.map(count) ?? -1 }
    let done = operations.filter { $0.ended != Operation.never }
    let written = done.filter(\.isWrite).map(number).sorted()
    for (one, next) in zip(written, written.dropFirst()) where one == next { return "an update of \(one) was lost" }
    var lastBegin = Int.min
    let clusters = Dictionary(grouping: done, by: number).sorted { $0.key < $1.key }
    for (number, operations) in clusters {
        if operations.contains(where: { $0.ended < lastBegin }) { return "\(number) was over when an earlier one began" }
        lastBegin = max(lastBegin, operations.map(\.began).max() ?? lastBegin)
    }
    return nil
}

/// A name is `COUNT WRITER`.
func count(in name: String) -> Int { name.split(separator: " ").first.flatMap { Int($0) } ?? -1 }
