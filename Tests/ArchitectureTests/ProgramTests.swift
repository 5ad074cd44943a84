import Foundation
import TestSupport
import Testing

/// The packages that some list of `scripts/lib/common.sh` names.
private func listedPackages() throws -> Set<String> {
    let script =
        "set -eu; . \"$1\"; for list in ${!build_*} ${!test_*} ${!bench_*} ${!package_*} ${!peer_*} ${!container_*}; do "
        + "declare -n names=$list; printf '%s\\n' \"${names[@]}\"; done"
    let ended = try Finished("bash", ["-c", script, "bash", Repository.path(of: "scripts/lib/common.sh")])
    #expect(ended.status == 0, "\(ended.output)")
    return Set(ended.output.split(separator: "\n").map(String.init))
}

/// Which of these packages every Debian has, because the system marks them as essential or required; and apt.
private func packagesOfEveryDebian() throws -> Set<String> {
    let ended = try Finished("dpkg-query", ["-W", "-f", "${Package} ${Essential} ${Priority}\\n"])
    let rows = ended.output.split(separator: "\n").map { $0.split(separator: " ") }
    return Set(rows.filter { $0.dropFirst().contains("yes") || $0.last == "required" }.compactMap { $0.first.map(String.init) })
        .union(["apt"])
}

@Test func everyProgramThatIsStartedComesFromAListedPackageOrIsInEveryDebian() throws {
    #expect(KnownPrograms.packages.count > 30)
    let known = try listedPackages().union(packagesOfEveryDebian())
    for (program, package) in KnownPrograms.packages {
        #expect(known.contains(package), "\(program) comes from \(package), which no list of scripts/lib/common.sh names")
    }
}

/// The packages that have a program of each of these names; a name that no package has is left out.
private func owners(of programs: [String]) throws -> [String: Set<String>] {
    let paths = programs.flatMap { program in ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].map { "\($0)/\(program)" } }
    var owners: [String: Set<String>] = [:]
    for line in try Finished("dpkg-query", ["-S"] + paths).output.split(separator: "\n")
    where !line.hasPrefix("diversion by ") && !line.hasPrefix("dpkg-query: ") {
        let parts = line.components(separatedBy: ": ")
        guard parts.count == 2, let name = parts[1].split(separator: "/").last else { continue }
        for package in parts[0].components(separatedBy: ", ") {
            owners[String(name), default: []].insert(String(package.split(separator: ":").first ?? ""))
        }
    }
    return owners
}

@Test func everyCommandOfAScriptIsInTheTableOrInEveryDebian() throws {
    let scripts = try ["scripts", ".ci", "packaging"].flatMap { try Repository.files(in: $0) }.filter {
        Repository.isScript($0, of: "bash")
    }
    let everywhere = try packagesOfEveryDebian()
    var places: [String: [String]] = [:]
    for script in scripts {
        for command in KnownPrograms.commands(in: try Repository.text(of: script)) { places[command, default: []].append(script) }
    }
    let commands = places.keys.filter {
        KnownPrograms.isProgram($0) && KnownPrograms.packages[$0] == nil && !KnownPrograms.builtins.contains($0)
    }
    #expect(places.count > 50)
    for (command, owners) in try owners(of: commands.sorted()) where owners.isDisjoint(with: everywhere) {
        Issue.record("\(places[command] ?? []) start \(command) of \(owners.sorted()), which scripts/lib/programs doesn't have")
    }
}

@Test func aTestThatStartsAnUnlistedProgramFails() throws {
    #expect(throws: SupportError.self) { try ChildProcess.run("perl", ["-e", "1"]) }
    #expect(throws: SupportError.self) { try ChildProcess.run("/usr/bin/perl", ["-e", "1"]) }
    #expect(throws: SupportError.self) { try ChildProcess.run("bash", ["-c", "true | perl -e 1"]) }
    #expect(throws: SupportError.self) { try ChildProcess.run("/usr/bin/env", ["A=b", "perl", "-e", "1"]) }
    #expect(try ChildProcess.run("bash", ["-c", "echo perl"]).output == "perl\n")
}

@Test func commandsAreFoundWhereAShellLooksForThem() {
    let text = """
        # curl in a comment
        if grep -q x file | LC_ALL=C sort; then
            value=$(sed -n 1p file) && exec "$program" --flag
        fi
        """
    #expect(KnownPrograms.commands(in: text).isSuperset(of: ["grep", "sort", "sed"]))
    #expect(KnownPrograms.commands(in: text).isDisjoint(with: ["curl", "file", "x"]))
}
