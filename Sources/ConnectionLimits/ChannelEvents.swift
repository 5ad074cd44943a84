package import NIOCore

// What a route tells the connection while it answers a request. `ConnectionClosePolicy` receives the events.

/// Says that the body of the request which is being answered will be read. A client that sent `Expect: 100-continue` sends the body only then
/// (RFC 9110, section 10.1.1). If such a client is answered without this call, the answer is the connection's last, and the body isn't read.
package func askForBody(over channel: any Channel) async {
    // A channel that has closed meanwhile throws here. Whoever reads the body gets an error, too.
    do { try await channel.triggerUserOutboundEvent(AskForBody()) } catch {}
}

struct AskForBody: Sendable {}

/// Returns when the system has taken all that was written of the answer so far. The writer of an answer learns too late that a connection
/// takes no more bytes: what the writer has written by then stays in memory until the client reads it.
///
/// - Throws: when the connection ends before that. A cancelled task ends the connection.
package func untilSent(over channel: any Channel) async throws {
    try await withTaskCancellationHandler {
        try await channel.triggerUserOutboundEvent(UntilSent())
    } onCancel: {
        channel.close(promise: nil)
    }
}

struct UntilSent: Sendable {}
