import Foundation
import Glibc

/// A certificate authority of one test, in a temporary directory, made by the openssl command.
final class TestAuthority {
    let directory: URL
    var bundle: String { directory.appending(path: "ca.crt").path }

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "rangefinder-ca-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try write("ca.cnf", Self.configuration)
        try write("index.txt", "")
        try openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=Test-Authority -keyout ca.key -out ca.crt"
        )
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    private static let configuration = """
        [ca]
        default_ca = test
        [test]
        new_certs_dir = .
        database = index.txt
        rand_serial = yes
        unique_subject = no
        default_md = sha256
        policy = any
        copy_extensions = copy
        [any]
        commonName = supplied
        """

    /// Answers the file name of the certificate; the key's is the same with `.key`. Times as 20250101000000Z.
    func issue(
        _ name: String, subjectAlternativeName: String = "IP:127.0.0.1,DNS:localhost", from: String? = nil, to: String? = nil
    ) throws -> String {
        let file = UUID().uuidString
        try openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=\(name) -addext subjectAltName=\(subjectAlternativeName)"
                + " -keyout \(file).key -out \(file).csr")
        let (start, end) = (from ?? stamp(days: -1), to ?? stamp(days: 30))
        try openssl(
            "ca -batch -notext -config ca.cnf -cert ca.crt -keyfile ca.key -startdate \(start) -enddate \(end) -in \(file).csr -out \(file).crt"
        )
        return file
    }

    func selfSigned() throws -> String {
        let file = UUID().uuidString
        try openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=Nobody -addext subjectAltName=IP:127.0.0.1"
                + " -keyout \(file).key -out \(file).crt")
        return file
    }

    private func stamp(days: Double) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "UTC")
        format.dateFormat = "yyyyMMddHHmmss'Z'"
        return format.string(from: Date(timeIntervalSinceNow: days * 86_400))
    }

    private func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: directory.appending(path: name))
    }

    private func openssl(_ arguments: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = directory
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw SystemError(what: "openssl \(arguments)", number: process.terminationStatus)
        }
    }
}

/// `openssl s_server -www` on loopback: answers every request with a page about its session.
final class TLSServer {
    let port: Int
    private let process = Process()
    private let input = Pipe()

    init(_ authority: TestAuthority, certificate: String, options: String = "-www") throws {
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments =
            "s_server -accept 127.0.0.1:0 -cert \(certificate).crt -key \(certificate).key \(options)".split(separator: " ").map(
                String.init)
        process.currentDirectoryURL = authority.directory
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = input
        try process.run()
        var text = ""
        var found: Int?
        while found == nil {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw SystemError(what: "s_server: \(text)", number: 0) }
            text += String(decoding: data, as: UTF8.self)
            found = text.firstMatch(of: /ACCEPT 127\.0\.0\.1:(\d+)\n/).flatMap { Int($0.1) }
        }
        port = found ?? 0
        // What it prints from here on is thrown away, or the pipe would fill and stop it.
        output.fileHandleForReading.readabilityHandler = { _ = $0.availableData }
    }

    deinit {
        // A task's thread has SIGTERM blocked, and the child has that from it.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
