import Alerting
import Curl
import Exposition
import Glibc
import Health
import History
import Logging
import ServiceLifecycle
import Settings
import Synchronization
import TargetsServer
import Web

/// The listeners: for pages and metrics, for the commands of this machine, and the embedded Targets API.
struct Listeners: Sendable {
    let settings: Settings
    let context: Daemon.Context
    let shares: DescriptorShares
    let access: WebAccess
    let isListening: ListeningFlag
    let served: WebServer.Daemon

    private var listenerNames: [String] { [context.surroundings.hostName] + settings.listenNames }
    private var logger: Logger { context.logger }

    /// Commands find it without a port and a password. Where it can't be, the rest goes on.
    func listenForCommands() async {
        let path = ControlSocket.path(
            database: settings.history.path, runtimeDirectory: context.surroundings.environment("RUNTIME_DIRECTORY"))
        var configuration = listener
        configuration.unixSocket = path
        // For a person at a time, who is let in by the file's permissions.
        configuration.connectionsMax = min(4, shares.connections)
        do {
            guard let path else { throw ListenFailure(description: "its path would be longer than a socket's may be") }
            let server = WebServer(configuration: configuration, daemon: served, onListening: { _ in chmod(path, 0o660) })
            try await server.run()
        } catch {
            logger.warning("`rangefinder sync` can't reach this daemon: no Unix socket: \(displayText("\(error)"))")
            try? await gracefulShutdown()
        }
    }

    private var listener: WebServer.Configuration {
        var configuration = WebServer.Configuration(
            host: settings.listen.host, port: settings.listen.port, names: listenerNames, admin: settings.admin,
            version: context.version)
        configuration.connectionsMax = shares.connections
        configuration.opensPages = settings.pages == .open
        return configuration
    }

    func pages() -> WebServer {
        let (context, access, isListening) = (context, access, isListening)
        var configuration = listener
        configuration.security = access.security
        configuration.inherited = InheritedSocket.take(environment: context.surroundings.environment)
        let isInherited = configuration.inherited != nil
        return WebServer(
            configuration: configuration, daemon: served,
            onListening: { bound in
                isListening.set()
                access.listens(at: bound)
                context.logger.info(
                    "listening", metadata: ["address": "\(bound)\(isInherited ? ", the service manager's socket" : "")"])
                access.sayIfOpen(context.logger)
                await context.onListening(.pages, bound.port)
            })
    }

    func targetsServer(
        _ section: Settings.TargetsServer, _ store: TargetStore, onListening: @escaping @Sendable () -> Void
    ) -> TargetsServer {
        let context = context
        var configuration = TargetsServer.Configuration(
            host: section.listen.host, port: section.listen.port, tokens: section.tokens.map(AccessToken.init),
            rate: section.rate, names: listenerNames)
        configuration.connections = shares.apiConnections
        return TargetsServer(
            configuration: configuration, store: store, logger: context.logger,
            onListening: { port in
                context.logger.info("the embedded Targets API listens", metadata: ["address": "\(section.listen.host):\(port)"])
                await context.onListening(.targetsAPI, port)
                onListening()
            })
    }
}
