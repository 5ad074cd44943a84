import Foundation
import Health
import Settings
import Testing

/// Every file under `Bad` ends in lines `# expect: LINE:COLUMN: message`: all that is wrong with it, and nothing else.
struct BadFilesTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Bad")

    static let files: [String] = {
        let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(".yaml") }.sorted()
    }()

    /// What the files' secrets are read from.
    static let machine: ProcessEnvironment = {
        var surroundings = SettingsTests.machine(
            files: [
                "/etc/rangefinder/token": Array("s3cret\n".utf8), "/etc/rangefinder/empty": Array("\n".utf8),
                "/etc/rangefinder/ftp": Array("ftp://files.example/hook\n".utf8),
                "/etc/rangefinder/user": Array("https://user:pw@hook.example/\n".utf8),
                "/etc/rangefinder/huge": [UInt8](repeating: 97, count: 65_537),
                "/etc/rangefinder/two-lines": Array("one\ntwo\n".utf8), "/etc/rangefinder/binary": [0xFF, 0xFE],
                "/etc/rangefinder/cert.pem": Array("-----BEGIN CERTIFICATE-----\n".utf8),
                "/etc/rangefinder/key.pem": Array("-----BEGIN PRIVATE KEY-----\n".utf8),
                "/etc/rangefinder/locked.pem": Array("-----BEGIN ENCRYPTED PRIVATE KEY-----\n".utf8),
            ],
            environment: ["TOKEN": "s3cret", "EMPTY": ""])
        let inMemory = surroundings.readFile
        surroundings.readFile = { (path, limit) throws(FileProblem) in
            if path == "/etc/rangefinder/forbidden" { throw .notPermitted }
            return try inMemory(path, limit)
        }
        surroundings.patternProblem = { $0.contains("(") ? "it has a parenthesis" : nil }
        return surroundings
    }()

    @Test(arguments: files)
    func reportsEverythingThatIsWrong(with file: String) throws {
        let bytes = try Array(Data(contentsOf: Self.folder.appending(path: file)))
        let mark = "# expect: "
        let expected = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .filter { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) }
        let reading = Settings.read(bytes, path: "/etc/rangefinder/rangefinder.yaml", surroundings: Self.machine)
        #expect(lines(reading) == expected)
        #expect((reading.settings == nil) == expected.contains { !$0.contains(": warning: ") })
    }

    @Test func thereAreBadFiles() {
        #expect(Self.files.count >= 30)
    }
}
