import Testing

@testable import Curl

/// Header lines as bytes.
@Suite struct AnswerHeadTests {
    private func head(_ change: (inout TransferRequest) -> Void = { _ in }) throws -> AnswerHead {
        AnswerHead(try request("http://a.test/", change))
    }

    private func read(_ lines: [String], _ head: inout AnswerHead, status: Int = 200) -> AnswerHead.Fault? {
        for line in lines {
            var bytes = Array("\(line)\r\n".utf8)
            let fault = bytes.withUnsafeMutableBytes { head.read(UnsafeRawBufferPointer($0), status: status) }
            if let fault { return fault }
        }
        return nil
    }

    private func fault(_ lines: String..., status: Int = 200) throws -> AnswerHead.Fault? {
        var head = try head()
        return read(["HTTP/1.1 \(status) X"] + lines, &head, status: status)
    }

    @Test func anEmptyLineEndsTheHeaders() throws {
        var head = try head()
        #expect(read(["HTTP/1.1 200 OK", "X: a"], &head) == nil)
        #expect(!head.isComplete)
        #expect(read([""], &head) == nil)
        #expect(head.isComplete)
    }

    @Test func aStatusLineBeginsAnotherAnswer() throws {
        var head = try head { $0.keepHeaders = true }
        #expect(read(["HTTP/1.1 103 E", "Content-Length: 5", "Set-Cookie: a=b", "X: early", ""], &head) == nil)
        #expect(read(["HTTP/1.1 200 OK", "Content-Length: 7", "X: late"], &head) == nil)
        #expect(!head.isComplete && head.setCookies == [])
        #expect(head.fields.fields.map(\.name) == ["Content-Length", "X"])
    }

    @Test(arguments: ["Content-Length: -5", "Content-Length: ", "Content-Length: 5, 6", "content-length:99999999999999999999"])
    func aLengthThatIsNoNumberIsAFault(_ line: String) throws {
        #expect(try fault(line) == .lengthUnclear)
    }

    @Test func lengthsThatDifferAreAFault() throws {
        #expect(try fault("Content-Length: 5", "Content-Length: 6") == .lengthUnclear)
    }

    @Test func oneLengthSeveralTimesIsNoFault() throws {
        #expect(try fault("Content-Length: 5, 5", "CONTENT-LENGTH:\t5") == nil)
    }

    @Test func aTrailerThatDisagreesOnTheLengthIsAFault() throws {
        #expect(try fault("Content-Length: 5", "", "Content-Length: 6") == .lengthUnclear)
    }

    @Test(arguments: ["br", "chunked, zstd", "x"]) func aTransferCodingThatNobodyAskedForIsAFault(_ coding: String) throws {
        #expect(try fault("Transfer-Encoding: \(coding)") == .codingUnknown)
    }

    @Test(arguments: ["chunked", "identity", "gzip, chunked", "", "Chunked"]) func knownTransferCodingsAreNone(_ coding: String)
        throws
    {
        #expect(try fault("Transfer-Encoding: \(coding)") == nil)
    }

    @Test(arguments: [100, 204, 304]) func aTransferCodingOfAnAnswerWithoutABodyIsNone(_ status: Int) throws {
        #expect(try fault("Transfer-Encoding: br", status: status) == nil)
    }

    @Test func aTransferCodingOfAnAnswerToHEADIsNone() throws {
        var head = try head { $0.method = "HEAD" }
        #expect(read(["HTTP/1.1 200 OK", "Transfer-Encoding: br"], &head) == nil)
    }

    @Test func headersPastTheirBoundAreAFault() throws {
        var head = try head()
        let line = String(repeating: "x", count: 1022)
        #expect(read([String](repeating: line, count: AnswerHead.byteLimit / 1024), &head) == nil)
        #expect(head.byteCount == AnswerHead.byteLimit)
        #expect(read(["x"], &head) == .tooLong)
    }

    @Test func interimAnswersCountForTheBoundToo() throws {
        var head = try head()
        let interim = ["HTTP/1.1 100 \(String(repeating: "x", count: 1000))", ""]
        #expect(read((0..<100).flatMap { _ in interim }, &head) == .tooLong)
    }

    @Test func cookiesAreKeptByteForByteUpToTheirBound() throws {
        var head = try head()
        let lines = (0..<60).map { "set-cookie:  a=\($0) " }
        #expect(read(["HTTP/1.1 200 OK"] + lines, &head) == nil)
        #expect(head.setCookies.count == AnswerHead.setCookiesMax)
        #expect(head.setCookies.first == Array("a=0".utf8))
    }

    @Test func fieldsAreKeptOnlyWhereTheRequestWantsThem() throws {
        for isWanted in [true, false] {
            var head = try head { $0.keepHeaders = isWanted }
            #expect(read(["HTTP/1.1 200 OK", "X: a", "", "Trailer: b"], &head) == nil)
            #expect(head.fields.fields.map(\.name) == (isWanted ? ["X"] : []))
        }
    }

    @Test func theBodyIsDecodedAsTheHeadSays() throws {
        var head = try head()
        #expect(read(["HTTP/1.1 200 OK", "Content-Encoding: br"], &head) == nil)
        withUnsafeBytes(of: UInt8(0)) { head.decoding.decode($0) { _ in true } }
        #expect(head.decoding.problem?.codings == "br")
    }
}
