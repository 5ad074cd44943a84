import CCurl
import Glibc
import Testing

@testable import Curl

/// What libcurl's codes may be read as. A result that counts for nothing may come from this machine only.
@Suite struct FailureReadingTests {
    /// A probe that ends so counts for nothing.
    private static let own: Set<TransferFailure.Code> = [
        .caFileUnreadable, .clientCertificateUnusable, .localFault, .cancelled, .shutDown,
    ]
    private static let results = (1..<CURL_LAST.rawValue).map { CURLcode(rawValue: $0) }
    /// What the kernel says of a peer, or of the way to it: RFC 792 and RFC 4443, as icmp_err_convert in Linux has them, and a reset.
    private static let peersErrors: [Int32] = [
        0, ECONNREFUSED, ECONNRESET, ECONNABORTED, EPIPE, ETIMEDOUT, EHOSTUNREACH, EHOSTDOWN, ENETUNREACH, ENETDOWN, ENONET,
        EPROTO,
        ENOPROTOOPT, EOPNOTSUPP, EMSGSIZE,
    ]

    @Test(arguments: [FailureReading.Connection.handshaking, .standing])
    func noCodeIsOurTroubleOnceAConnectionStands(_ connection: FailureReading.Connection) {
        for result in Self.results {
            for error in Self.peersErrors {
                for headerBytes in [0, 100] {
                    var reading = FailureReading(result: result)
                    (reading.connection, reading.systemError, reading.headerBytes) = (connection, error, headerBytes)
                    let code = reading.code
                    #expect(
                        code.map { !Self.own.contains($0) } == true, "CURLcode \(result.rawValue), errno \(error): \(code as Any)"
                    )
                }
            }
        }
    }

    @Test func noCodeOfAConnectionAttemptIsOurTroubleByWhatTheNetworkSays() {
        for result in Self.results where result != CURLE_SSL_CERTPROBLEM {
            for error in Self.peersErrors {
                var reading = FailureReading(result: result)
                (reading.connection, reading.systemError) = (.connecting, error)
                let code = reading.code
                #expect(
                    code.map { !Self.own.contains($0) } == true, "CURLcode \(result.rawValue), errno \(error): \(code as Any)")
            }
        }
    }

    @Test func noCodeIsOurTroubleBeforeAProxyHasLetUsThrough() {
        for result in Self.results where result != CURLE_SSL_CERTPROBLEM {
            var reading = FailureReading(result: result)
            (reading.connection, reading.isBeforeTarget) = (.connecting, true)
            #expect(reading.code == .proxyFailed, "CURLcode \(result.rawValue)")
        }
    }

    @Test(arguments: [EMFILE, ENFILE, ENOMEM, ENOBUFS]) func anErrnoOfOurOwnIsOurTroubleAtAnyTime(_ error: Int32) {
        for connection in FailureReading.Connection.allCases where connection != .none {
            var reading = FailureReading(result: connection == .connecting ? CURLE_COULDNT_CONNECT : CURLE_RECV_ERROR)
            (reading.connection, reading.systemError) = (connection, error)
            #expect(reading.code == .localFault)
            reading = FailureReading(result: CURLE_OPERATION_TIMEDOUT)
            (reading.connection, reading.abortReason) = (connection, .systemCall(error))
            #expect(reading.code == .localFault)
        }
    }

    @Test func noMemoryBeforeThereIsASocketIsOurTrouble() {
        #expect(FailureReading(result: CURLE_OUT_OF_MEMORY).code == .localFault)
    }

    @Test func aStreamThatWasSentAwayWithoutAWordIsNoClose() {
        var reading = FailureReading(result: CURLE_PARTIAL_FILE)
        reading.connection = .standing
        #expect(reading.code == .protocolError)
        reading.words = LibcurlWords(text: "HTTP/2 stream 1 was not closed cleanly before end of the underlying stream")
        #expect(reading.code == .connectionClosed)
    }

    /// RFC 4443 section 3.1: a router far away says that it is forbidden, and connect() has that as EACCES.
    @Test func aForbiddenWayOverIPv6IsTheNetworksAndOverIPv4OurOwnFirewalls() {
        var reading = FailureReading(result: CURLE_COULDNT_CONNECT)
        (reading.connection, reading.systemError, reading.isIPv6) = (.connecting, EACCES, true)
        #expect(reading.code == .networkUnreachable)
        reading.isIPv6 = false
        #expect(reading.code == .localFault)
    }
}
