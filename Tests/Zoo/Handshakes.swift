import Health
import TestSupport

extension Zoo {
    /// Those that never come to an answer, because TLS comes before it.
    static let handshakes = handshakeBreakers + certificates

    private static let handshakeBreakers: [Beast] = [
        Beast("stalls in the TLS handshake", .tlsHandshakeFailed, within: Beast.soon) { keeper in
            try handshaking(keeper) { $0.waitForClose() }
        },
        Beast("stalls in the middle of the TLS handshake", .tlsHandshakeFailed, within: Beast.soon) { keeper in
            try handshaking(keeper) {
                _ = $0.readSome()
                // A record that has a handshake message of 90 bytes, and the first two of them.
                $0.send([0x16, 3, 3, 0, 94, 2, 0, 0, 90, 3, 3])
                $0.waitForClose()
            }
        },
        Beast("speaks only TLS 1.0", .tlsHandshakeFailed) { keeper in
            try tls(keeper, options: "-www -tls1 -cipher ALL:@SECLEVEL=0") { try $0.issue("old") }
        },
        Beast("answers TLS in plain HTTP", .tlsHandshakeFailed) { keeper in
            try handshaking(keeper) {
                _ = $0.readSome()
                $0.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                $0.waitForClose()
            }
        },
        Beast("promises a handshake message of 16 MiB", .tlsHandshakeFailed) { keeper in
            try handshaking(keeper) {
                _ = $0.readSome()
                // A ServerHello as long as its three bytes of length can say, in records as long as they may be.
                let record: [UInt8] = [0x16, 3, 3, 0x40, 0] + [UInt8](repeating: 0, count: 0x4000)
                $0.send([0x16, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff])
                $0.sendForEver(record)
            }
        },
        Beast("warns for ever instead of shaking hands", .tlsHandshakeFailed) { keeper in
            try handshaking(keeper) {
                _ = $0.readSome()
                $0.sendForEver([0x15, 3, 3, 0, 2, 1, 90])
            }
        },
        Beast("closes in the TLS handshake", .connectionClosed) { keeper in try handshaking(keeper) { _ = $0.readSome() } },
        Beast("resets in the TLS handshake", .connectReset) { keeper in
            try handshaking(keeper) {
                _ = $0.readSome()
                $0.reset()
            }
        },
    ]

    private static let certificates = [
        Beast("has a certificate for another name", .certificateNameMismatch) { keeper in
            try tls(keeper) { try $0.issue("other", subjectAlternativeName: "DNS:elsewhere.example") }
        },
        Beast("has an expired certificate", .certificateExpired) { keeper in
            try tls(keeper) { try $0.issue("old", from: "20200101000000Z", to: "20210101000000Z") }
        },
        Beast("has a certificate of the future", .certificateNotYetValid) { keeper in
            try tls(keeper) { try $0.issue("new", from: "20400101000000Z", to: "20410101000000Z") }
        },
        Beast("has signed its certificate itself", .certificateUntrusted) { keeper in
            try tls(keeper) { try $0.selfSigned() }
        },
        Beast("has a certificate of an unknown authority", .certificateUntrusted) { keeper in
            let stranger = try TestAuthority()
            let server = try TLSServer(stranger, certificate: stranger.issue("leaf"))
            let authority = try keeper.authorityOfTheZoo()
            var den = Den("https://127.0.0.1:\(server.port)", keeping: [server, stranger, authority])
            den.caFile = authority.bundle
            return den
        },
    ]

    private static func handshaking(_ keeper: Keeper, _ script: @escaping @Sendable (Connection) -> Void) throws -> Den {
        let authority = try keeper.authorityOfTheZoo()
        var den = try Den(scheme: "https", script)
        den.caFile = authority.bundle
        den.things.append(authority)
        return den
    }

    private static func tls(
        _ keeper: Keeper, options: String = "-www", certificate: (TestAuthority) throws -> String
    ) throws -> Den {
        let authority = try keeper.authorityOfTheZoo()
        let server = try TLSServer(authority, certificate: certificate(authority), options: options)
        var den = Den("https://127.0.0.1:\(server.port)", keeping: [server, authority])
        den.caFile = authority.bundle
        return den
    }
}
