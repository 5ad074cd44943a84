import Glibc
import Health
import Synchronization

/// The one writer of standard output. All data of all commands goes through it: data that could not be written ends the command with
/// code 70, so that nothing passes for done that isn't.
enum StandardOutput {
    private static let isReaderGone = Atomic<Bool>(false)

    /// False once whoever read has gone away, as in `rangefinder status | head`. That is no error. A command that would write for long looks
    /// here and ends.
    static var hasReader: Bool { !isReaderGone.load(ordering: .relaxed) }

    static func write(_ text: String) throws(Failure) {
        guard hasReader else { return }
        switch writeAll(text, to: STDOUT_FILENO) {
        case 0: return
        case EPIPE, ECONNRESET: isReaderGone.store(true, ordering: .relaxed)
        case let number: throw failure(number)
        }
    }

    /// At the end of the program. A file system of another machine may keep its errors until a file is closed (close(2)), and closing a copy
    /// of the descriptor asks for them, too.
    static func finish() throws(Failure) {
        let copy = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0, close(copy) != 0, errno != EINTR, hasReader else { return }
        throw failure(errno)
    }

    private static func failure(_ number: Int32) -> Failure {
        Failure(.internal, "not all of the output could be written: \(writingSentence(number))")
    }
}

/// Writes data to standard output as it is.
func printData(_ text: String) throws(Failure) { try StandardOutput.write(text) }

/// Writes a line to standard error. A line that can't be written has nowhere else to go.
func printError(_ line: String) { _ = writeAll(line + "\n", to: STDERR_FILENO) }

/// Writes all of a text, also where the descriptor doesn't block. Returns 0 or the number of the system's error.
func writeAll(_ text: String, to descriptor: Int32) -> Int32 {
    var text = text
    return text.withUTF8 { bytes in
        var rest = UnsafeRawBufferPointer(bytes)
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count > 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
                continue
            }
            switch count == 0 ? EIO : errno {
            case EINTR: continue
            case EAGAIN:
                var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                if poll(&room, 1, -1) < 0, errno != EINTR { return errno }
            case let number: return number
            }
        }
        return 0
    }
}

/// Makes a file with all of a text in it, or ends the command.
func writeFile(_ text: String, to path: String) throws(Failure) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure(.internal, "\(displayText(path)) can't be made: \(writingSentence(errno))") }
    let number = writeAll(text, to: descriptor)
    let isClosed = close(descriptor) == 0 || errno == EINTR
    guard number == 0, isClosed else {
        throw Failure(.internal, "\(displayText(path)) can't be written: \(writingSentence(number == 0 ? errno : number))")
    }
}

/// What an error of the system means for whoever wants something written.
func writingSentence(_ number: Int32) -> String {
    switch number {
    case ENOSPC: "the disk is full"
    case EDQUOT: "this user's share of the disk is full"
    case EFBIG: "the file is larger than this user (ulimit -f) or its file system may make one"
    default: String(cString: strerror(number))
    }
}
