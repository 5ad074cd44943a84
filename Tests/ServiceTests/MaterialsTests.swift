import Foundation
import TestSupport
import Testing

private let python = environment("RANGEFINDER_PYTHON")

/// The bill of materials and the file `copyright`, held against the program and the packages that it was linked of.
@Suite(.enabled(if: Packages.isThere, "\(Packages.whyNot)"), .timeLimit(.minutes(5)))
struct MaterialsTests {
    @Test(.enabled(if: python != nil, "RANGEFINDER_PYTHON is not set; scripts/test sets it"))
    func spdxToolsFindTheBillValidAndABrokenOneNot() async throws {
        let file = try Packages().path(".spdx.json")
        let validator = ["-m", "spdx_tools.spdx.clitools.pyspdxtools", "--infile"]
        let python = try #require(python)
        let valid = try await onThread { try ChildProcess.run(python, validator + [file]) }
        #expect(valid.status == 0, "\(valid.output)")
        let folder = try TemporaryFolder()
        let text = try String(contentsOfFile: file, encoding: .utf8).replacing("\"STATIC_LINK\"", with: "\"LINK\"")
        let broken = try folder.write(text, to: "broken.spdx.json")
        let invalid = try await onThread { try ChildProcess.run(python, validator + [broken]) }
        #expect(invalid.status != 0)
    }

    @Test func theBillNamesThePackageOfEveryLibraryThatTheProgramNeeds() async throws {
        let dynamic = try await output("objdump", ["-p", Packages.program()])
        let libraries = dynamic.matches(of: /NEEDED +(\S+)\n/).map { String($0.1) }
        #expect(libraries.count > 8)
        // The loader itself is the C library's.
        let owners = try await output("dpkg-query", ["-S"] + libraries.map { "*/\($0)" })
        let packages = owners.split(separator: "\n").filter { !$0.hasPrefix("diversion") && !$0.contains("-cross: ") }
        let names = Set(packages.compactMap { $0.split(separator: ":").first.map(String.init) })
        #expect(Set(try Materials.read().related("DYNAMIC_LINK").map(\.name)) == names)
    }

    @Test func theBillNamesEveryPackageThatIsDeclaredAndInTheVersionThatWasTaken() throws {
        let declared = try String(contentsOf: Packages.repository.appending(path: "Package.swift"), encoding: .utf8).matches(
            of: /\.package\(url: "https:\/\/([^"]+)"/)
        let linked = try Materials.read().related("STATIC_LINK")
        #expect(declared.count > 10)
        for address in declared.map(\.1) {
            let name = address.split(separator: "/").last.map(String.init)
            #expect(linked.contains { $0.name == name }, "\(address)")
        }
        let taken = try Data(contentsOf: Packages.sources().appending(path: "Package.resolved"))
        let pins = try JSONDecoder().decode(Pins.self, from: taken).pins
        for package in linked {
            guard let pin = pins.first(where: { $0.identity == package.name.lowercased() }) else { continue }
            #expect(package.versionInfo == pin.state.version, "\(package.name)")
        }
    }

    private struct Pins: Decodable {
        struct Pin: Decodable {
            struct State: Decodable { var version: String? }
            var identity: String
            var state: State
        }
        var pins: [Pin]
    }

    /// What SwiftPM knows nothing of is in the program all the same. The symbols are such that only one part has.
    @Test func theBillNamesWhatWasTakenOverIntoAPackageOrComesWithTheToolchain() async throws {
        let parts = [
            "CNIOBoringSSL_SSL_new": "BoringSSL", "c_nio_llhttp_execute": "llhttp", "yaml_parser_parse": "libyaml",
            "swift_allocObject": "swift", "dispatch_async": "swift-corelibs-libdispatch",
            "$s20FoundationEssentials4DataVMn": "swift-foundation", "udat_patternCharToDateFormatField": "swift-foundation-icu",
        ]
        let listed = try await output("nm", ["--defined-only", "--format=posix", Packages.program()]).split(separator: "\n")
        let symbols = Set(listed.compactMap { $0.split(separator: " ").first.map(String.init) })
        let named = Set(try Materials.read().related("STATIC_LINK").map(\.name))
        for (symbol, part) in parts {
            #expect(symbols.contains(symbol), "the program has no \(symbol)")
            #expect(named.contains(part))
        }
    }

    @Test func theBillHasTheDigestOfEveryFileThatIsGivenAway() async throws {
        let (packages, materials) = (try Packages(), try Materials.read())
        let described = Dictionary(
            uniqueKeysWithValues: materials.related("DESCRIBES").map { ($0.packageFileName, $0.checksums?.value("SHA256")) })
        let others = packages.digests.filter { !$0.key.hasSuffix(".spdx.json") }
        #expect(others.count == 3)
        for (name, digest) in others { #expect(described[name] == digest, "\(name)") }
        let folder = try await packages.unpacked()
        let program = try await digests(of: [folder.file("usr/bin/rangefinder")])
        #expect(materials.files.map { $0.checksums.value("SHA256") } == program)
    }

    @Test func theBillHasTheSamePackagesOfDebianAsTheImage() async throws {
        let bundle = try await Bundle(of: Image())
        let folder = "\(bundle.root)/var/lib/dpkg/status.d"
        let materials = try Materials.read()
        let image = try materials.artifact(".oci.tar")
        let named = materials.related("CONTAINS", from: image.id).map { "\($0.name) \($0.versionInfo ?? "")" }
        var found: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let status = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            found.append("\(name) \(status.firstMatch(of: /\nVersion: (.*)/)?.1 ?? "")")
        }
        #expect(named.count > 20 && named.contains { $0.hasPrefix("libc6 2.") })
        #expect(named.sorted() == found.sorted())
    }

    /// The Apache License itself stands elsewhere, on Debian and in the tarball.
    @Test func theFileCopyrightHasTheWordsOfEveryLicenceAndNotice() async throws {
        let folder = try await Packages().unpacked()
        let copyright = words(try folder.read("usr/share/doc/rangefinder/copyright"))
        let checkouts = try Packages.sources().appending(path: ".build/checkouts")
        var count = 0
        for package in try Materials.read().related("STATIC_LINK") where package.id.hasPrefix("SPDXRef-swift-package-") {
            let isNamed = copyright.contains(words("Files: \(package.name)/*"))
            #expect(isNamed, "\(package.name)")
            let files = try FileManager.default.contentsOfDirectory(atPath: checkouts.appending(path: package.name).path)
            for file in files where file.hasPrefix("LICENSE") || file.hasPrefix("NOTICE") {
                let text = try String(contentsOf: checkouts.appending(path: "\(package.name)/\(file)"), encoding: .utf8)
                let isApache = text.contains("Version 2.0, January 2004")
                let start = isApache ? text.range(of: "## Runtime Library") : text.range(of: "Permission is hereby")
                let part = start.map { text[$0.lowerBound...] } ?? (isApache ? "" : text[...])
                guard !part.isEmpty else { continue }
                count += 1
                let hasWords = copyright.contains(words(part))
                #expect(hasWords, "\(file) of \(package.name)")
            }
        }
        #expect(count > 10)
    }

    /// Without what Debian's format of the file adds, and without line breaks.
    private func words(_ text: some StringProtocol) -> String {
        text.split { !$0.isLetter && !$0.isNumber }.joined(separator: " ")
    }
}
