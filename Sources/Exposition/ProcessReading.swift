import Glibc
import Synchronization

/// What the kernel says of this process (proc(5)); what can't be read is nil and has no line.
struct ProcessReading {
    var cpuSeconds: Double?
    var openFiles: Double?
    var maxFiles: Double?
    var virtualBytes: Double?
    var residentBytes: Double?
    var startSeconds: Double?

    static func now() -> ProcessReading {
        var reading = ProcessReading()
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        let fields = statFields()
        // proc(5) counts from 1 and the first two fields, pid and name, were cut off.
        func field(_ number: Int) -> Double? { number - 3 < fields.count ? Double(fields[number - 3]) : nil }
        if let user = field(14), let system = field(15) { reading.cpuSeconds = (user + system) / ticks }
        reading.virtualBytes = field(23)
        reading.residentBytes = field(24).map { $0 * Double(sysconf(Int32(_SC_PAGESIZE))) }
        if let started = field(22) { reading.startSeconds = bootSeconds() + started / ticks }
        reading.openFiles = openFileCount()
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { reading.maxFiles = Double(limit.rlim_cur) }
        return reading
    }

    /// The name in parentheses may hold anything, so the fields are counted from its end.
    private static func statFields() -> [Substring] {
        let text = contents(of: "/proc/self/stat")
        guard let end = text.lastIndex(of: ")") else { return [] }
        return text[end...].dropFirst().split(whereSeparator: \.isWhitespace)
    }

    private static let boot = Mutex(0.0)

    /// As `btime` of /proc/stat, which a unit with ProcSubset=pid doesn't see. The same at each reading, so that it says "another process"
    /// only where there is one, until the wall clock is set.
    private static func bootSeconds() -> Double {
        var (wall, since) = (timespec(), timespec())
        clock_gettime(CLOCK_REALTIME, &wall)
        clock_gettime(CLOCK_BOOTTIME, &since)
        let seconds = Double(wall.tv_sec - since.tv_sec) + Double(wall.tv_nsec - since.tv_nsec) / 1e9
        return boot.withLock { boot in
            if abs(boot - seconds) > 1 { boot = seconds }
            return boot
        }
    }

    private static func openFileCount() -> Double? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0.0
        while readdir(directory) != nil { count += 1 }
        // `.` and `..`, and the one that was opened to count them.
        return count - 3
    }

    private static func contents(of path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count < 1 << 16 {
            let count = read(descriptor, &part, part.count)
            guard count > 0 else { break }
            bytes += part[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
