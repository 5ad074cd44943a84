import Exposition
import Health
import Testing

@testable import Web

@Suite struct NegotiationTests {
    @Test(
        arguments: [
            "application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8",
            "Application/OpenMetrics-Text;version=\"1.0.0\"",
            "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
                + "text/plain;q=0.3,*/*;q=0.1",
            "text/plain;q=0.5, application/openmetrics-text;q=0.5", "*/*, application/openmetrics-text",
        ])
    func givesOpenMetricsToThoseWhoAsk(_ accept: String) { #expect(Negotiation.format(accept: accept) == .openMetrics) }

    @Test(
        arguments: [
            nil, "", "*/*", "text/plain", "text/html,application/xhtml+xml", "application/openmetrics-text;q=0",
            "application/openmetrics-text;version=2.0.0", "text/plain, application/openmetrics-text;q=0.9",
            "application/openmetrics-text;q=nonsense", "application/openmetrics-text;q=7", ";;,,;q=",
        ])
    func givesTheOlderFormatToOthers(_ accept: String?) { #expect(Negotiation.format(accept: accept) == .text) }

    @Test(arguments: ["gzip", "deflate, gzip;q=0.5", "x-gzip", "*", "GZIP ; q=1.0", "gzip, identity;q=0.5"])
    func compressesForThoseWhoAsk(_ header: String) { #expect(Negotiation.wantsGzip(acceptEncoding: header)) }

    @Test(arguments: [nil, "", "identity", "gzip;q=0", "*, gzip;q=0", "gzip;q=0.0", "br", "identity, gzip;q=0.5"])
    func doesNotCompressForOthers(_ header: String?) { #expect(!Negotiation.wantsGzip(acceptEncoding: header)) }
}

@Suite struct SelectionQueryTests {
    @Test func readsAllThree() throws {
        let selection = try SelectionQuery.read("client_id=a%20b+c&region=eu-%C3%BC&shard=2%2F5")
        #expect(selection == MetricsSelection(clientID: "a b c", region: "eu-ü", shard: Shard(index: 2, count: 5)))
        #expect(try SelectionQuery.read("") == MetricsSelection())
    }

    @Test(
        arguments: [
            ("regoin=eu", "unknown parameter regoin; there are client_id, region and shard"),
            ("region=eu&region=us", "parameter region is given more than once"),
            ("region=%zz", "the value of region is not percent-encoded UTF-8"),
            ("region=%ff", "the value of region is not percent-encoded UTF-8"),
            ("region=%f", "the value of region is not percent-encoded UTF-8"),
            ("shard=6/5", "shard=6/5 is not i/n with 1 ≤ i ≤ n ≤ 1024, as in shard=2/5"),
            ("shard", "shard= is not i/n with 1 ≤ i ≤ n ≤ 1024, as in shard=2/5"),
        ])
    func saysWhatIsWrong(_ query: String, _ sentence: String) throws {
        let mistake = #expect(throws: SelectionQuery.Mistake.self) { try SelectionQuery.read(query) }
        #expect(mistake?.sentence == sentence)
    }
}
