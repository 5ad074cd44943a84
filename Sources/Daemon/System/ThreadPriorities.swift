import Curl
import Glibc

/// Puts the threads that start and time the probes before all others of this process: what decodes a list, writes a page or packs it
/// wants a processor for a second, and where it and the targets' network want more than there is, a probe must not be the one that waits.
///
/// Linux has a nice value for each thread (setpriority(2)). Lowering the others' needs no privilege; raising the one would.
struct ThreadPriorities {
    /// The thread of the probes' engine.
    static let probes = "probes"
    private static let spared: Set = [probes, TransferEngine.lookupThreadName, TransferEngine.watchdogThreadName]
    /// A tenth of the engine's share where both want all of a processor (sched(7)), counted from the nice value that the daemon was
    /// started with.
    private static let niceAboveProbes: Int32 = 10
    private static let niceMax: Int32 = 19
    /// How often new threads are looked for: the pools of Swift and of NIO make theirs when they want them.
    private static let everySeconds = 5

    private var seen: Set<String> = []
    private var niceOfProbes: Int32 = 0

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
        let names = threads.subtracting(seen).compactMap { thread in UInt32(thread).map { (id: $0, name: nameOf(thread)) } }
        if let probes = names.first(where: { $0.name == Self.probes })?.id { niceOfProbes = nice(probes) ?? niceOfProbes }
        for thread in names where !Self.spared.contains(thread.name) {
            // One that has ended meanwhile needs no priority.
            setpriority(Self.thread, thread.id, min(Self.niceMax, niceOfProbes + Self.niceAboveProbes))
        }
        seen = threads
    }

    /// To setpriority(2) a thread is a process.
    private static let thread = __priority_which_t(PRIO_PROCESS.rawValue)

    private func nice(_ thread: UInt32) -> Int32? {
        // -1 is a nice value as well as a failure, and only errno tells them apart.
        errno = 0
        let value = getpriority(Self.thread, thread)
        return errno == 0 ? value : nil
    }
}

private func nameOf(_ thread: String) -> String {
    guard let file = fopen("/proc/self/task/\(thread)/comm", "re") else { return "" }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 32)
    guard fgets(&buffer, Int32(buffer.count), file) != nil else { return "" }
    return String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
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
