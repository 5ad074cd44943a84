import Curl
import Glibc

/// Puts the threads that start and time the probes before all others of this process: what decodes a list, writes a page or packs it
/// wants a processor for a second, and where it and the targets' network want more than there is, a probe must not be the one that waits.
///
/// Linux has a nice value for each thread (setpriority(2)). Lowering the others' needs no privilege; raising the one would.
struct ThreadPriorities {
    /// What the names of the probes' engines' threads begin with.
    private static let probes = "probes"
    private static let spared: Set = [NameResolver.lookupThreadName, NameResolver.dnsThreadName]

    /// The name of the thread of a lane's engine.
    static func probes(lane: Int) -> String { "\(probes)-\(lane)" }
    /// A tenth of the engine's share where both want all of a processor (sched(7)), counted from the nice value that the daemon was
    /// started with.
    private static let niceAboveProbes: Int32 = 10
    private static let niceMax: Int32 = 19
    /// How often they are looked at: the pools of Swift and of NIO make theirs when they want them, and as root set their nice values, too.
    private static let every: Duration = .seconds(5)
    private var lookedAt: ContinuousClock.Instant?

    /// Lowers the others, when it is time for it.
    mutating func keep(at now: ContinuousClock.Instant) {
        guard lookedAt.map({ $0.duration(to: now) >= Self.every }) ?? true else { return }
        lookedAt = now
        Self.lowerOthers()
    }

    private static func lowerOthers() {
        let threads = namesIn("/proc/self/task").compactMap { UInt32($0) }.map { (id: $0, name: nameOf($0)) }
        let isOfProbes = { (name: String) in name.hasPrefix(probes) }
        guard let best = threads.first(where: { isOfProbes($0.name) }).flatMap({ nice($0.id) }) else { return }
        let wanted = min(niceMax, best + niceAboveProbes)
        for thread in threads
        where !isOfProbes(thread.name) && !spared.contains(thread.name) && nice(thread.id) ?? wanted < wanted {
            // One that has ended meanwhile needs no priority.
            setpriority(Self.thread, thread.id, wanted)
        }
    }

    /// To setpriority(2) a thread is a process.
    private static let thread = __priority_which_t(PRIO_PROCESS.rawValue)

    private static func nice(_ thread: UInt32) -> Int32? {
        // -1 is a nice value as well as a failure, and only errno tells them apart.
        errno = 0
        let value = getpriority(Self.thread, thread)
        return errno == 0 ? value : nil
    }
}

private func nameOf(_ thread: UInt32) -> String {
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
