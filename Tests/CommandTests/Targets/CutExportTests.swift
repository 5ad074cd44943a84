import Foundation
import TestSupport
import Testing

/// An export that was not written to its end would have `apply --prune` delete what it lacks.
@Suite(.timeLimit(.minutes(5))) struct CutExportTests {
    private let server: TargetsServerProgram

    init() async throws { server = try await TargetsServerProgram(token: "t") }

    private func targets(_ words: String...) async throws -> Program.Ended {
        try await Program.run(
            ["targets"] + words + ["--api", server.url, "--client", "c", "--token-file", server.tokenFile])
    }

    private func fill(_ count: Int) async throws {
        let entries = (0..<count).map { "  - {name: t\($0), region: eu, base_url: \"https://h\($0).example\", test_path: /}" }
        let file = try server.folder.write("targets:\n" + entries.joined(separator: "\n") + "\n", to: "all.yaml")
        #expect(try await targets("apply", "-f", file).code == 0)
    }

    @Test func whereverItIsCutNothingIsDeletedByIt() async throws {
        try await fill(20)
        let exported = try await targets("export").output
        #expect(exported.hasSuffix("\n# The end of this export: 20 targets.\n"))
        let whole = try server.folder.write(exported, to: "whole.yaml")
        #expect(
            try await targets("apply", "--prune", "--yes", "-f", whole).output
                == "0 to create, 0 to change, 0 to delete, 20 as declared\n")
        // Between two entries, at the end of the last, within the last line and within its number.
        let lines = exported.split(separator: "\n", omittingEmptySubsequences: false)
        let cuts =
            [2 + 5 * 10, 2 + 5 * 20].map { lines[..<$0].joined(separator: "\n") + "\n" }
            + [2, 10, 12].map { String(exported.dropLast($0)) }
        for cut in cuts {
            let file = try server.folder.write(cut, to: "cut.yaml")
            let refused = try await targets("apply", "--prune", "--yes", "-f", file)
            #expect(refused.code == 1 && refused.output.isEmpty, "\(cut.suffix(60))")
            #expect(
                refused.errors.contains("has lost its last line") && refused.errors.contains("Nothing was changed"),
                "\(refused.errors)")
            // Without --prune nothing is deleted.
            let taken = try await targets("apply", "--yes", "-f", file)
            #expect(taken.code == 0 && taken.errors.contains("warning: "), "\(taken.errors)")
        }
        #expect(try await targets("list").output.hasSuffix("\n20 targets\n"))
    }

    @Test func aFileOfAPersonNeedsNoEndAndAnExportMayBeChangedByOne() async throws {
        try await fill(3)
        let own = try server.folder.write(
            "targets:\n  - {name: t0, region: eu, base_url: \"https://h0.example\", test_path: /}\n", to: "own.yaml")
        #expect(try await targets("apply", "--prune", "--dry-run", "-f", own).output.hasSuffix("2 to delete, 1 as declared\n"))
        let lines = try await targets("export").output.split(separator: "\n")
        let changed = try server.folder.write((lines[..<2] + lines[7...]).joined(separator: "\r\n") + "\r\n", to: "changed.yaml")
        let plan = try await targets("apply", "--prune", "--dry-run", "-f", changed)
        #expect(plan.output.hasSuffix("1 to delete, 2 as declared\n"), "\(plan.output)\(plan.errors)")
        #expect(plan.errors.contains("was exported with 3 targets and declares 2 now"), "\(plan.errors)")
    }
}
