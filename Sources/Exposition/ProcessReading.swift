import Glibc

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
        if let started = field(22), let boot = bootSeconds() { reading.startSeconds = boot + started / ticks }
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

    private static func bootSeconds() -> Double? {
        let line = contents(of: "/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst("btime ".count)) }
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
        // /proc/stat has a line a processor and one of all interrupts: a megabyte is more than the largest machine has.
        while bytes.count < 1 << 20 {
            let count = read(descriptor, &part, part.count)
            guard count > 0 else { break }
            bytes += part[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
