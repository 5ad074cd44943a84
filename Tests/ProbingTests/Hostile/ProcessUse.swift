import Foundation
import TestSupport

/// What this process has of the system now, as its `/proc` says.
struct ProcessUse {
    /// What is open, by what `/proc` calls it: a file's path, or `socket:[…]` with a number of its own.
    let descriptors: [String]
    let threads: Int
    let residentKibibytes: Int
    /// The most that was resident since ``forgetPeak()``, or since the process began.
    let peakKibibytes: Int

    init() throws {
        let folder = "/proc/self/fd"
        // The one that reads the folder is gone by the time it is asked for.
        descriptors = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
        }
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        func number(_ key: String) throws -> Int {
            let line = status.split(separator: "\n").first { $0.hasPrefix(key + ":") }
            guard let value = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) }) else {
                throw SupportError("no \(key) in /proc/self/status")
            }
            return value
        }
        (threads, residentKibibytes, peakKibibytes) = (try number("Threads"), try number("VmRSS"), try number("VmHWM"))
    }

    /// See proc(5), `clear_refs`.
    static func forgetPeak() throws {
        try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
    }
}
