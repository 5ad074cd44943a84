internal import CHandshake

/// What the handshakes of one engine have in common: an SSL_CTX, and the certificates that were read (`CHandshake`). The engine's thread
/// makes the handshakes.
final class SharedHandshakes: Sendable {
    /// nil without memory: then each handshake makes do without the others.
    // The counts are atomic, and the rest is the engine's thread's alone.
    nonisolated(unsafe) let pointer: OpaquePointer?

    init() { pointer = rf_handshakes_new() }

    deinit { rf_handshakes_free(pointer) }

    /// How often libcurl asked for an SSL_CTX and a new one was made.
    var contextsMade: UInt64 { pointer.map { rf_contexts_made($0) } ?? 0 }

    /// Certificates that were read, and not known.
    var certificatesRead: UInt64 { pointer.map { rf_certificates_read($0) } ?? 0 }
}
