import Curl
import Glibc

/// Puts the threads that start and time the probes before all others of this process: what decodes a list, writes a page or packs it
/// wants a processor for a second, and where it and the targets' network want more than there is, a probe must not be the one that waits.
///
/// Linux has a nice value for each thread (setpriority(2)). Lowering the others' needs no privilege; raising the one would.
struct ThreadPriorities {
    /// The thread of the probes' engine.
    static let probes = "probes"
    /// A tenth of the engine's share where both want all of a processor (sched(7)).
    private static let niceOfOthers: Int32 = 10
    /// How often new threads are looked for: the pools of Swift and of NIO make theirs when they want them.
    private static let everySeconds = 5

    private var seen: Set<String> = []

    /// Until the task is cancelled.
    static func keep<C: Clock>(clock: C) async where C.Duration == Duration {
        var priorities = Self()
        while !Task.isCancelled {
            priorities.lowerNewThreads()
            try? await clock.sleep(for: .seconds(everySeconds))
        }
    }

    private mutating func lowerNewThreads() {
        let threads = Set(namesIn("/proc/self/task"))
        for thread in threads.subtracting(seen) {
            guard let id = UInt32(thread), !isSpared(thread) else { continue }
            // One that has ended meanwhile needs no priority.
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), id, Self.niceOfOthers)
        }
        seen = threads
    }

    private func isSpared(_ thread: String) -> Bool {
        guard let file = fopen("/proc/self/task/\(thread)/comm", "re") else { return false }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 32)
        guard fgets(&buffer, Int32(buffer.count), file) != nil else { return false }
        let name = String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name == Self.probes || name == TransferEngine.lookupThreadName
    }
}

private func namesIn(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        names.append(withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names
}
