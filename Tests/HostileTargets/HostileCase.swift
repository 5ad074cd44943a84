package import Health
import TestSupport

/// One hostile target.
package struct HostileCase: Sendable, CustomStringConvertible {
    package let name: String
    package let outcome: Outcome
    /// It ends at its timeout and not before.
    package let hangs: Bool
    /// Names that its server's URLs have in them.
    package let names: [String: NameAnswer]
    private let wish: @Sendable (inout ProbePolicy) -> Void
    private let settle: @Sendable (SharedFixtures) throws -> HostileServer

    /// For what would hang for ever; whatever ends by itself gets more, so that a busy machine isn't taken for a hanging hostileCase.
    static let soon: Duration = HostileTargets.isSanitized ? .seconds(1) : .milliseconds(500)
    private static let patience = Duration.seconds(10)

    /// - Parameters:
    ///   - reason: of the bad result it must end in; nil when it must be good.
    ///   - policy: what the probe's policy has besides the defaults.
    init(
        _ name: String, _ reason: Reason?, within timeout: Duration? = nil, names: [String: NameAnswer] = [:],
        policy: @escaping @Sendable (inout ProbePolicy) -> Void = { _ in },
        settle: @escaping @Sendable (SharedFixtures) throws -> HostileServer
    ) {
        self.name = name
        outcome = reason.map { .bad($0) } ?? .good
        hangs = timeout != nil
        self.names = names
        wish = {
            $0.timeout = timeout ?? Self.patience
            policy(&$0)
        }
        self.settle = settle
    }

    /// One whose every connection is read up to the end of the request, and then does what the script says.
    static func answering(
        _ name: String, _ reason: Reason?, within timeout: Duration? = nil,
        policy: @escaping @Sendable (inout ProbePolicy) -> Void = { _ in },
        _ script: @escaping @Sendable (Connection) -> Void
    ) -> HostileCase {
        HostileCase(name, reason, within: timeout, policy: policy) { _ in
            try HostileServer { connection in
                connection.readRequest()
                script(connection)
            }
        }
    }

    package var description: String { name }

    /// Starts its servers.
    package func open(_ fixtures: SharedFixtures) throws -> HostileServer { try settle(fixtures) }

    package func policy(in server: HostileServer) -> ProbePolicy {
        var policy = ProbePolicy(userAgent: "rangefinder/hostile")
        wish(&policy)
        policy.caFile = server.caFile
        return policy
    }
}

/// Where one hostileCase lives, as long as this does.
package struct HostileServer: Sendable {
    package var baseURL: String
    package var path = "/"
    var caFile: String?
    /// Ends with the server.
    var things: [any Sendable] = []
    /// Each returns once one server's connections have come to their end.
    var waits: [@Sendable () async throws -> Void] = []
    /// What happened at its servers that may not happen, for instance a secret that arrived.
    package var complaints: @Sendable () -> [String] = { [] }

    init(_ baseURL: String, keeping things: [any Sendable] = []) {
        self.baseURL = baseURL
        self.things = things
    }

    /// On one server, whose connections do what the script says.
    init(scheme: String = "http", host: String = "127.0.0.1", _ script: @escaping @Sendable (Connection) -> Void) throws {
        let server = try ConnectionServer(script)
        self.init("\(scheme)://\(host):\(server.port)")
        things = [server]
        waits = [server.untilQuiet]
    }

    /// Returns once the scripts of all its connections have ended.
    package func untilQuiet() async throws {
        for wait in waits { try await wait() }
    }
}

/// Has what several servers share. For one thread at a time.
package final class SharedFixtures {
    private var authority: TestAuthority?

    package init() {}

    /// Made when the first hostileCase wants it: that takes openssl a while.
    func sharedAuthority() throws -> TestAuthority {
        if let authority { return authority }
        let made = try TestAuthority()
        authority = made
        return made
    }
}
