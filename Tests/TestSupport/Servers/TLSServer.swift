import Foundation

/// A certificate authority of one test, in a folder of its own, made by the openssl command.
package final class TestAuthority: Sendable {
    package let folder: TemporaryFolder
    package var bundle: String { folder.file("ca.crt") }

    package init() throws {
        folder = try TemporaryFolder()
        try folder.write(Self.configuration, to: "ca.cnf")
        try folder.write("", to: "index.txt")
        try openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=Test-Authority -keyout ca.key -out ca.crt"
        )
        // One that was written just now would be read once more, in the background and at any time.
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000)], ofItemAtPath: bundle)
    }

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
    package func issue(
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

    /// A certificate of any kind.
    ///
    /// - Parameters:
    ///   - key: as `-newkey` of openssl's req takes it, with its options; or `FILE.key` for one that there is.
    ///   - issuer: the file of the one that signs it; the authority itself without one.
    ///   - extensions: lines of an extension file, as `basicConstraints=critical,CA:TRUE`.
    package func issue(
        _ name: String, key: String = "ec -pkeyopt ec_paramgen_curve:P-256", by issuer: String = "ca", digest: String = "sha256",
        extensions: [String] = ["subjectAltName=IP:127.0.0.1,DNS:localhost"], daysLeft: Double = 30
    ) throws -> String {
        let file = UUID().uuidString
        let isKnown = key.hasSuffix(".key")
        try openssl(
            "req -new \(isKnown ? "-key \(key)" : "-newkey \(key) -keyout \(file).key -nodes") -subj /CN=\(name) -out \(file).csr"
        )
        if isKnown { try FileManager.default.copyItem(atPath: folder.file(key), toPath: folder.file("\(file).key")) }
        try folder.write(extensions.joined(separator: "\n") + "\n", to: "\(file).ext")
        try openssl(
            "ca -batch -notext -config ca.cnf -cert \(issuer).crt -keyfile \(issuer).key -md \(digest) -startdate \(stamp(days: -4000))"
                + " -enddate \(stamp(days: daysLeft)) -extfile \(file).ext -in \(file).csr -out \(file).crt")
        return file
    }

    /// One that may sign others.
    package func authority(
        _ name: String, key: String = "ec -pkeyopt ec_paramgen_curve:P-256", by issuer: String = "ca", more: [String] = [],
        constraints: String = "critical,CA:TRUE", daysLeft: Double = 900
    ) throws -> String {
        try issue(name, key: key, by: issuer, extensions: ["basicConstraints=\(constraints)"] + more, daysLeft: daysLeft)
    }

    /// The certificates of these files in one, for `-cert_chain`; answers its name.
    package func chain(_ files: [String]) throws -> String {
        let name = "\(UUID().uuidString).pem"
        try folder.write(files.map { try folder.read("\($0).crt") }.joined(), to: name)
        return name
    }

    package func selfSigned() throws -> String {
        let file = UUID().uuidString
        try openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=Nobody -addext subjectAltName=IP:127.0.0.1"
                + " -keyout \(file).key -out \(file).crt")
        return file
    }

    /// From now on, as ``issue(_:subjectAlternativeName:from:to:)`` takes it.
    package func stamp(days: Double) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "UTC")
        format.dateFormat = "yyyyMMddHHmmss'Z'"
        return format.string(from: Date(timeIntervalSinceNow: days * 86_400))
    }

    private func openssl(_ arguments: String) throws {
        let words = arguments.split(separator: " ").map(String.init)
        guard try ChildProcess.run("/usr/bin/openssl", words, in: folder.path).status == 0 else {
            throw SupportError("openssl \(arguments) failed")
        }
    }
}

/// `openssl s_server -www` on loopback: answers every request with a page about its session.
package final class TLSServer: Sendable {
    package let port: Int
    private let process: ChildProcess

    package init(_ authority: TestAuthority, certificate: String, options: String = "-www") throws {
        let words = "s_server -accept 127.0.0.1:0 -cert \(certificate).crt -key \(certificate).key \(options)"
            .split(separator: " ").map(String.init)
        let process = try ChildProcess("/usr/bin/openssl", words, in: authority.folder.path)
        self.process = process
        var text = ""
        var found: Int?
        while found == nil {
            guard let more = process.readOutput() else {
                process.end()
                throw SupportError("s_server: \(text)")
            }
            text += String(decoding: more, as: UTF8.self)
            found = text.firstMatch(of: /ACCEPT 127\.0\.0\.1:(\d+)\n/).flatMap { Int($0.1) }
        }
        port = found ?? 0
        // What it prints from here on is thrown away, or the pipe would fill and stop it.
        Thread.detachNewThread { while process.readOutput() != nil {} }
    }

    deinit { process.end() }
}
