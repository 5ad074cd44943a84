import FoundationEssentials
import Glibc
import Health

/// Where a daemon in the foreground keeps its databases and its log.
struct StateDirectory: Sendable {
    let path: String
    private let isTemporary: Bool

    /// - Parameter name: of the command, in the name of a temporary directory.
    init(kept: String?, for name: String) throws {
        // What is kept here may have secrets of URLs in it.
        umask(0o077)
        if let kept {
            guard mkdir(kept, 0o700) == 0 || errno == EEXIST else {
                throw Failure(.internal, "\(displayText(kept)) can't be made: \(String(cString: strerror(errno)))")
            }
            (path, isTemporary) = (kept, false)
            return
        }
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/rangefinder-\(name)-XXXXXX".utf8CString)
        guard let made = template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } }) else {
            throw Failure(.internal, "no temporary directory can be made in \(displayText(parent)); use --state DIR")
        }
        (path, isTemporary) = (String(cString: made), true)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// A file that can't be removed stays for the system to clean up.
    func removeIfTemporary() {
        if isTemporary { try? FileManager.default.removeItem(atPath: path) }
    }
}
