import Foundation
import TestSupport
import Testing

@testable import Exposition

/// The page of three targets, byte for byte, but for what the kernel says of the process.
@Suite struct PageTests {
    private func page(_ format: MetricsFormat) -> String {
        let (series, daemon) = Samples.three()
        return wholeText(MetricsPage(format: format, targets: series, daemon: daemon))
            .split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.contains("process_") }
            .joined(separator: "\n")
    }

    private static let isRecording = ProcessInfo.processInfo.environment["RANGEFINDER_RECORD_PAGES"] != nil

    /// With RANGEFINDER_RECORD_PAGES=1 the files are written anew from what the program makes; look at the difference before you commit it.
    @Test(arguments: [(MetricsFormat.text, "page.txt"), (.openMetrics, "page.openmetrics")])
    func isAsRecorded(_ format: MetricsFormat, _ name: String) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name)")
        if Self.isRecording { try page(format).write(to: file, atomically: true, encoding: .utf8) }
        let recorded = try String(contentsOf: file, encoding: .utf8)
        #expect(page(format) == recorded)
    }

    @Test func comesInChunksThatMakeTheWholePage() {
        let series = Samples.series((0..<500).map { Samples.target("t\($0)") })
        for number in 0..<500 { series.see([Samples.good("t\(number)")]) }
        let chunks = Array(MetricsPage(format: .openMetrics, targets: series, daemon: Samples.daemon()))
        #expect(chunks.count > 10)
        #expect(chunks.dropLast().allSatisfy { (MetricsPage.chunkSize...MetricsPage.chunkSize * 9 / 8).contains($0.count) })
        #expect(String(decoding: chunks.flatMap { $0 }, as: UTF8.self).hasSuffix("\n# EOF\n"))
    }

    @Test func aPageThatWasBegunDoesNotChange() {
        let series = Samples.series([Samples.target("t1"), Samples.target("t2")])
        series.see([Samples.good("t1")])
        let page = MetricsPage(format: .text, targets: series, daemon: Samples.daemon())
        series.replace([])
        #expect(wholeText(page).contains("probe_success{target_id=\"t1\""))
    }
}

/// What others make of the page. The tools must be there: a page that no scraper reads is no page.
@Suite struct ForeignReaderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ format: MetricsFormat) throws -> String {
        let (series, daemon) = Samples.three()
        series.see([Samples.good("t1")])
        return try folder.write(wholeText(MetricsPage(format: format, targets: series, daemon: daemon)), to: "page.txt")
    }

    @Test func promtoolFindsNothingWrongWithThePage() async throws {
        let file = try write(.text)
        let (status, output) = try await run("promtool", ["check", "metrics"], input: file)
        #expect(status == 0 && output.isEmpty, "\(advice(status))\(output)")
    }

    private static let python = ProcessInfo.processInfo.environment["RANGEFINDER_PYTHON"]

    @Test(
        .enabled(if: Self.python != nil, "set RANGEFINDER_PYTHON to a Python that has prometheus_client: scripts/test does"),
        arguments: MetricsFormat.allCases)
    func prometheusClientReadsThePage(_ format: MetricsFormat) async throws {
        let file = try write(format)
        let parser = format == .text ? "prometheus_client.parser" : "prometheus_client.openmetrics.parser"
        let script = """
            import sys
            from \(parser) import text_string_to_metric_families
            families = list(text_string_to_metric_families(sys.stdin.read()))
            lines = {s.name: s.value for f in families for s in f.samples if s.labels.get("target_id", "t1") == "t1"}
            print(*(float(lines[n]) for n in ("probe_duration_seconds", "rangefinder_probes_skipped_total")))
            """
        let (status, output) = try await run(#require(Self.python), ["-c", script], input: file)
        #expect(status == 0 && output == "0.02525 1.0\n", "\(output)")
    }

    @Test(
        arguments: [
            ["check", "config", "prometheus.yml"], ["check", "rules", "rangefinder.rules.yml"],
            ["check", "rules", "rangefinder-daemon.rules.yml"], ["test", "rules", "rangefinder.rules.test.yml"],
        ])
    func promtoolAcceptsTheShippedConfiguration(_ arguments: [String]) async throws {
        let (status, output) = try await run("promtool", arguments, in: shipped("prometheus"))
        #expect(status == 0, "\(advice(status))\(output)")
    }

    @Test func amtoolAcceptsTheShippedRoutes() async throws {
        let (status, output) = try await run("amtool", ["check-config", "alertmanager.yml"], in: shipped("alertmanager"))
        #expect(status == 0, "\(output)")
    }

    private func shipped(_ folder: String) -> URL {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../config/\(folder)").standardized
    }

    private func advice(_ status: Int32) -> String {
        status == 127 ? "promtool is missing, install prometheus: scripts/test does\n" : ""
    }

    /// Runs a tool to its end; its two outputs come as one text.
    private func run(
        _ tool: String, _ arguments: [String], input: String? = nil, in folder: URL? = nil
    ) async throws -> (status: Int32, output: String) {
        // The tests share few threads, and this one waits for the program.
        let ended = try await onThread {
            let bytes = try input.map { Array(try Data(contentsOf: URL(filePath: $0))) } ?? []
            return try ChildProcess.run("/usr/bin/env", [tool] + arguments, in: folder?.path, input: bytes)
        }
        return (ended.status, ended.output)
    }
}
