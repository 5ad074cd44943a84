import Glibc

/// How many lanes a daemon has.
///
/// - Parameter threads: as `limits.threads`; nil for as many as ``usableProcessors(groups:of:)`` says.
func laneCount(_ threads: Int?) -> Int { min(lanesMax, threads ?? usableProcessors()) }

/// More than one machine's probes need.
package let lanesMax = 16

/// How many processors this process may use at once: those that it may run on (`Cpus_allowed` in proc_pid_status(5)), and no more than its control
/// groups' quota of time, rounded down: a thread that has used up a quota stands still. At least 1.
///
/// - Parameters:
///   - groups: where the control groups are mounted.
///   - process: the directory of this process in procfs.
func usableProcessors(groups: String = "/sys/fs/cgroup", of process: String = "/proc/self") -> Int {
    max(1, min(allowedProcessors(of: process), processorQuota(groups: groups, of: process).map { Int($0) } ?? .max))
}

/// A bit for each processor, in words of 32 bits: `Cpus_allowed: ff,ffffffff`.
private func allowedProcessors(of process: String) -> Int {
    let name = "Cpus_allowed:"
    let line = textOf(process + "/status").split(separator: "\n").first { $0.hasPrefix(name) }
    let words = line?.dropFirst(name.count).split(whereSeparator: { $0 == "," || $0.isWhitespace }) ?? []
    let count = words.reduce(0) { $0 + (UInt32($1, radix: 16)?.nonzeroBitCount ?? 0) }
    return count > 0 ? count : sysconf(Int32(_SC_NPROCESSORS_ONLN))
}

/// The smallest quota on the way from the process's control group to the root, in processors; nil without one.
///
/// Version 2 has `cpu.max` with a quota and a period ("200000 100000", "max 100000"); version 1 has `cpu.cfs_quota_us` (-1 for none) and
/// `cpu.cfs_period_us` (Documentation/admin-guide/cgroup-v2.rst, Documentation/scheduler/sched-bwc.rst).
private func processorQuota(groups: String, of process: String) -> Double? {
    let lines = textOf(process + "/cgroup").split(separator: "\n").map {
        $0.split(separator: ":", omittingEmptySubsequences: false)
    }
    var quotas: [Double] = []
    for line in lines where line.count >= 3 {
        let isVersion2 = line[0] == "0" && line[1].isEmpty
        guard isVersion2 || line[1].split(separator: ",").contains("cpu") else { continue }
        let root = isVersion2 ? groups : "\(groups)/\(line[1])"
        var path = line.dropFirst(2).joined(separator: ":")
        while true {
            if let quota = isVersion2 ? quotaOfVersion2(root + path) : quotaOfVersion1(root + path) { quotas.append(quota) }
            // In a container the path may be the host's, and only the root is mounted.
            guard let slash = path.lastIndex(of: "/"), !path.isEmpty else { break }
            path = String(path[..<slash])
        }
    }
    return quotas.min()
}

private func quotaOfVersion2(_ directory: String) -> Double? {
    let words = textOf(directory + "/cpu.max").split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    return words.count == 2 && words[1] > 0 ? words[0] / words[1] : nil
}

private func quotaOfVersion1(_ directory: String) -> Double? {
    let number = { (name: String) in Double(textOf(directory + name).split(whereSeparator: \.isWhitespace).first ?? "") }
    guard let quota = number("/cpu.cfs_quota_us"), let period = number("/cpu.cfs_period_us"), quota > 0, period > 0 else {
        return nil
    }
    return quota / period
}

/// The beginning of a small file; empty where it can't be read.
private func textOf(_ path: String) -> String {
    guard let file = fopen(path, "re") else { return "" }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 16_384)
    let count = fread(&buffer, 1, buffer.count, file)
    return String(decoding: buffer.prefix(count), as: UTF8.self)
}
