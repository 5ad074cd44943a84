import Glibc

/// What a configuration needs of the machine: files, environment variables, the host's name.
package struct ProcessEnvironment: Sendable {
    /// The whole file, or the problem; a file of more than `limit` bytes is one.
    package var readFile: @Sendable (_ path: String, _ limit: Int) throws(FileProblem) -> [UInt8]
    package var environment: @Sendable (_ name: String) -> String?
    /// What is wrong with a pattern of PCRE2, or nil. Probing knows; without it any pattern passes here.
    package var patternProblem: @Sendable (String) -> String? = { _ in nil }
    /// What is wrong with a client certificate and its key, both in PEM. Curl knows; without it any pair passes here.
    package var pairProblem: @Sendable (_ chain: String, _ key: String) -> PairProblem? = { _, _ in nil }
    /// Whether every user of the machine may read a file.
    package var othersMayRead: @Sendable (_ path: String) -> Bool = { _ in false }
    /// Whether secrets, certificates and passwords are read. Without, what the file names is taken as there and well.
    private(set) var readsSecrets = true
    /// The default of `vantage`.
    package var hostName: String
    /// The default of `probe.user_agent`.
    package var userAgent: String

    /// For whoever wants to know what a configuration says and uses none of its secrets, which only the daemon's user may read.
    package var withoutSecrets: ProcessEnvironment {
        var surroundings = self
        surroundings.readsSecrets = false
        return surroundings
    }

    package init(
        readFile: @escaping @Sendable (String, Int) throws(FileProblem) -> [UInt8],
        environment: @escaping @Sendable (String) -> String?,
        hostName: String,
        userAgent: String = "rangefinder"
    ) {
        self.readFile = readFile
        self.environment = environment
        self.hostName = hostName
        self.userAgent = userAgent
    }

    /// This process and this machine.
    package static func system(
        userAgent: String = "rangefinder", patternProblem: @escaping @Sendable (String) -> String? = { _ in nil },
        pairProblem: @escaping @Sendable (String, String) -> PairProblem? = { _, _ in nil }
    ) -> ProcessEnvironment {
        var surroundings = ProcessEnvironment(
            readFile: readWholeFile,
            environment: { name in getenv(name).map { String(cString: $0) } },
            hostName: currentHostName(),
            userAgent: userAgent)
        surroundings.othersMayRead = isReadByOthers
        surroundings.patternProblem = patternProblem
        surroundings.pairProblem = pairProblem
        return surroundings
    }
}

/// Why a client certificate and its key make no pair.
package enum PairProblem: Hashable, Sendable {
    case certificateUnreadable, keyUnreadable, keyOfAnother
    /// TLS would not take them, with its own words for why.
    case refused(String)
}

/// Why a file could not be read.
package enum FileProblem: Error, Hashable, Sendable {
    case notFound
    case notPermitted
    /// A folder, a pipe or a device: reading it might never end.
    case notAFile
    case tooLarge
    /// With the number of the system's error.
    case other(Int32)

    init(errorNumber: Int32) {
        self =
            switch errorNumber {
            case ENOENT, ENOTDIR: .notFound
            case EACCES, EPERM: .notPermitted
            default: .other(errorNumber)
            }
    }

    package var sentence: String {
        switch self {
        case .notFound: "there is no such file"
        case .notPermitted: "this user may not read it"
        case .notAFile: "it is not a regular file"
        case .tooLarge: "it is too large"
        case .other(ELOOP): "a link on the way to it leads back to itself"
        case .other(let number): "error \(number) of the system"
        }
    }
}

@Sendable private func readWholeFile(_ path: String, _ limit: Int) throws(FileProblem) -> [UInt8] {
    // O_NONBLOCK, so that opening a pipe that nobody writes to doesn't wait for ever; it changes nothing for a regular file.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileProblem(errorNumber: errno) }
    defer { close(descriptor) }
    var facts = stat()
    guard fstat(descriptor, &facts) == 0 else { throw FileProblem(errorNumber: errno) }
    guard facts.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
    var contents: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while contents.count <= limit {
        let count = read(descriptor, &chunk, chunk.count)
        if count == 0 { return contents }
        if count < 0 {
            if errno == EINTR { continue }
            throw FileProblem(errorNumber: errno)
        }
        contents += chunk[..<count]
    }
    throw .tooLarge
}

/// By its permissions and those of the folders above it.
@Sendable private func isReadByOthers(_ path: String) -> Bool {
    guard let resolved = realpath(path, nil) else { return false }
    defer { free(resolved) }
    var parent = String(cString: resolved)
    var facts = stat()
    guard stat(parent, &facts) == 0, facts.st_mode & S_IROTH != 0 else { return false }
    while let slash = parent.lastIndex(of: "/"), slash > parent.startIndex {
        parent = String(parent[..<slash])
        guard stat(parent, &facts) == 0, facts.st_mode & S_IXOTH != 0 else { return false }
    }
    return true
}

private func currentHostName() -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    let status = buffer.withUnsafeMutableBytes { bytes in
        bytes.withMemoryRebound(to: CChar.self) { chars in
            chars.baseAddress.map { gethostname($0, chars.count - 1) } ?? -1
        }
    }
    let name = String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
    return status == 0 && !name.isEmpty ? name : "localhost"
}
