import Health
import TestSupport

extension HostileTargets {
    /// Those that never come to an answer, because TLS comes before it.
    static let handshakes = handshakeBreakers + certificates

    private static let handshakeBreakers: [HostileCase] = [
        HostileCase("stalls in the TLS handshake", .tlsHandshakeFailed, within: HostileCase.soon) { fixtures in
            try handshaking(fixtures) { $0.waitForClose() }
        },
        HostileCase("stalls in the middle of the TLS handshake", .tlsHandshakeFailed, within: HostileCase.soon) { fixtures in
            try handshaking(fixtures) {
                _ = $0.readSome()
                // A record that has a handshake message of 90 bytes, and the first two of them.
                $0.send([0x16, 3, 3, 0, 94, 2, 0, 0, 90, 3, 3])
                $0.waitForClose()
            }
        },
        HostileCase("speaks only TLS 1.0", .tlsHandshakeFailed) { fixtures in
            try tls(fixtures, options: "-www -tls1 -cipher ALL:@SECLEVEL=0") { try $0.issue("old") }
        },
        HostileCase("answers TLS in plain HTTP", .tlsHandshakeFailed) { fixtures in
            try handshaking(fixtures) {
                _ = $0.readSome()
                $0.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                $0.waitForClose()
            }
        },
        HostileCase("promises a handshake message of 16 MiB", .tlsHandshakeFailed) { fixtures in
            try handshaking(fixtures) {
                _ = $0.readSome()
                // A ServerHello as long as its three bytes of length can say, in records as long as they may be.
                let record: [UInt8] = [0x16, 3, 3, 0x40, 0] + [UInt8](repeating: 0, count: 0x4000)
                $0.send([0x16, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff])
                $0.sendForEver(record)
            }
        },
        HostileCase("warns for ever instead of shaking hands", .tlsHandshakeFailed) { fixtures in
            try handshaking(fixtures) {
                _ = $0.readSome()
                $0.sendForEver([0x15, 3, 3, 0, 2, 1, 90])
            }
        },
        HostileCase("closes in the TLS handshake", .connectionClosed) { fixtures in
            try handshaking(fixtures) { _ = $0.readSome() }
        },
        HostileCase("resets in the TLS handshake", .connectReset) { fixtures in
            try handshaking(fixtures) {
                _ = $0.readSome()
                $0.reset()
            }
        },
    ]

    private static let certificates = [
        HostileCase("has a certificate for another name", .certificateNameMismatch) { fixtures in
            try tls(fixtures) { try $0.issue("other", subjectAlternativeName: "DNS:elsewhere.example") }
        },
        HostileCase("has an expired certificate", .certificateExpired) { fixtures in
            try tls(fixtures) { try $0.issue("old", from: "20200101000000Z", to: "20210101000000Z") }
        },
        HostileCase("has a certificate of the future", .certificateNotYetValid) { fixtures in
            try tls(fixtures) { try $0.issue("new", from: "20400101000000Z", to: "20410101000000Z") }
        },
        HostileCase("has signed its certificate itself", .certificateUntrusted) { fixtures in
            try tls(fixtures) { try $0.selfSigned() }
        },
        HostileCase("has a certificate of an unknown authority", .certificateUntrusted) { fixtures in
            let stranger = try TestAuthority()
            let server = try TLSServer(stranger, certificate: stranger.issue("leaf"))
            let authority = try fixtures.sharedAuthority()
            var hosted = HostileServer("https://127.0.0.1:\(server.port)", keeping: [server, stranger, authority])
            hosted.caFile = authority.bundle
            return hosted
        },
    ]

    private static func handshaking(_ fixtures: SharedFixtures, _ script: @escaping @Sendable (Connection) -> Void) throws
        -> HostileServer
    {
        let authority = try fixtures.sharedAuthority()
        var hosted = try HostileServer(scheme: "https", script)
        hosted.caFile = authority.bundle
        hosted.things.append(authority)
        return hosted
    }

    private static func tls(
        _ fixtures: SharedFixtures, options: String = "-www", certificate: (TestAuthority) throws -> String
    ) throws -> HostileServer {
        let authority = try fixtures.sharedAuthority()
        let server = try TLSServer(authority, certificate: certificate(authority), options: options)
        var hosted = HostileServer("https://127.0.0.1:\(server.port)", keeping: [server, authority])
        hosted.caFile = authority.bundle
        return hosted
    }
}
