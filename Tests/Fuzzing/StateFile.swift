import Foundation
import Glibc
import TestSupport

/// Numbers of the cases under way, eight bytes for each lane; zero where there is none. It outlives a crash.
package final class StateFile: Sendable {
    private let descriptor: Int32

    init(_ path: String, lanes: Int) throws {
        descriptor = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0, ftruncate(descriptor, off_t(lanes * 8)) == 0 else { throw SupportError.system(path) }
    }

    deinit { close(descriptor) }

    func write(_ number: Int?, lane: Int) {
        var value = UInt64((number ?? -1) + 1).littleEndian
        _ = pwrite(descriptor, &value, 8, off_t(lane * 8))
    }

    /// Of the cases that were under way.
    package static func numbers(in path: String) throws -> [Int] {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let values = stride(from: 0, to: bytes.count - 7, by: 8).map { start in
            bytes[start..<start + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        return values.filter { $0 > 0 }.map { Int($0) - 1 }.sorted()
    }
}
