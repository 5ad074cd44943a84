import Curl
import Daemon
import Glibc
import Health
import Settings
import TargetsAPI
import Terminal

extension Examination {
    mutating func checkAPI(_ settings: Settings, _ engine: TransferEngine) async {
        let section = settings.targetsAPI
        guard !section.clients.isEmpty else { return }
        checkResolver(section.baseURL)
        let transport = apiTransport(baseURL: section.baseURL, userAgent: Rangefinder.userAgent, over: engine)
        for client in section.clients {
            let api = TargetsClient(
                clientID: client.id, token: client.token, maxList: section.maxList, timeout: section.timeout, transport: transport
            )
            let name = "client \(displayText(client.id))"
            do throws(APIError) {
                let list = try await api.list()
                let rejected = list.rejected.isEmpty ? "" : ", and \(counted(list.rejected.count, "record")) can't be used"
                list.targets.isEmpty
                    ? warn(
                        "targets API", "\(name) has no targets\(rejected)", "create some; until then there is nothing to probe")
                    : ok("targets API", "\(name) has \(counted(list.targets.count, "target"))\(rejected)")
            } catch  where error.code == .connectFailed && settings.readsItsOwnServer {
                skip("targets API", "\(name): the embedded server isn't started; it is with the daemon")
            } catch {
                bad("targets API", "\(name): \(error)", remedy(for: error, section.baseURL))
            }
        }
    }

    private mutating func checkResolver(_ baseURL: String) {
        guard let host = URLParts(baseURL)?.host, IPAddress(host) == nil else { return }
        var found: UnsafeMutablePointer<addrinfo>?
        let began = ContinuousClock.now
        let code = getaddrinfo(host, nil, nil, &found)
        let time = durationWords(began.duration(to: .now))
        defer { if let found { freeaddrinfo(found) } }
        if code == 0 {
            ok("resolver", "it knows \(displayText(host)), within \(time)")
        } else {
            bad(
                "resolver", "it doesn't know \(displayText(host)): \(String(cString: gai_strerror(code)))",
                "see /etc/resolv.conf, and `getent hosts \(displayText(host))`")
        }
    }

    private func remedy(for error: APIError, _ baseURL: String) -> String {
        let url = displayText(urlWithoutSecrets(baseURL))
        switch error.code {
        case .unauthorized, .tokenUnusable: return "put the client's own token into its token_file, bare and on one line"
        case .dnsFailed:
            return
                "see whether the resolver works (getent hosts NAME, /etc/resolv.conf) and targets_api.base_url is right: \(url)"
        case .connectFailed, .timeout:
            return "see whether a firewall or a missing route is between, or the embedded server isn't started: \(url)"
        case .tlsFailed: return "see the certificate (openssl s_client), this machine's clock, and ca-certificates"
        default: return "see whether targets_api.base_url is the API's own: \(url)"
        }
    }

    mutating func checkListener(_ settings: Settings, _ engine: TransferEngine) async {
        let address = settings.listen
        if await answersAsOurs(engine, settings) { return }
        guard let problem = bindProblem(address.host, address.port) else {
            return ok("listener", "\(address) is free")
        }
        if problem == EADDRINUSE {
            // systemd may hold it for us.
            if Systemd.property("ActiveState", of: "rangefinder.socket") == "active" {
                return ok("listener", "systemd holds \(address) for the daemon (rangefinder.socket)")
            }
            return bad("listener", "something else listens on \(address)", "see `ss -ltnp`; end it, or change listen")
        }
        bad(
            "listener", "\(address) can't be listened on: \(String(cString: strerror(problem)))",
            "change listen to an address of this machine")
    }

    /// A daemon of this configuration that runs already.
    private mutating func answersAsOurs(_ engine: TransferEngine, _ settings: Settings) async -> Bool {
        for socket in ControlSocket.candidates(database: settings.history.path) {
            guard let url = URLParts("http://localhost/-/ready") else { continue }
            var request = TransferRequest(url: url, timeout: .seconds(5))
            (request.unixSocket, request.keepBody) = (socket, 64 << 10)
            let report = await engine.transfer(request)
            guard let status = report.status, report.failure == nil else { continue }
            let lines = String(decoding: report.body, as: UTF8.self).split(separator: "\n").map { displayText(String($0)) }
            status == 200
                ? ok("daemon", "it runs, and is ready")
                : bad(
                    "daemon", "it runs: \(lines.joined(separator: " "))",
                    "docs/runbook.md has a section for each of these; the log says more")
            await checkLoad(engine, socket)
            return true
        }
        return false
    }

    /// Whether the daemon that runs can make the probes that fall due.
    private mutating func checkLoad(_ engine: TransferEngine, _ socket: String) async {
        // No client has this name: the page has the daemon's own numbers alone, whatever the number of targets.
        guard let url = URLParts("http://localhost/metrics?client_id=%00") else { return }
        var request = TransferRequest(url: url, timeout: .seconds(5))
        (request.unixSocket, request.keepBody) = (socket, 256 << 10)
        let report = await engine.transfer(request)
        guard report.status == 200, report.failure == nil else { return }
        let lines = String(decoding: report.body, as: UTF8.self).split(separator: "\n")
        let isOverloaded = lines.contains("rangefinder_overloaded 1")
        isOverloaded
            ? warn(
                "load", "the daemon is overloaded: more probes fall due than it can start on time",
                "docs/runbook.md#proberoverloaded says what to change; the log says how many targets this machine can watch")
            : ok("load", "the daemon makes all probes that fall due")
    }

    /// The number of the system's error, or nil.
    private func bindProblem(_ host: String, _ port: Int) -> Int32? {
        var hints = addrinfo()
        (hints.ai_flags, hints.ai_socktype) = (AI_PASSIVE, Int32(SOCK_STREAM.rawValue))
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let found else { return EADDRNOTAVAIL }
        defer { freeaddrinfo(found) }
        let descriptor = socket(found.pointee.ai_family, found.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0, listen(descriptor, 1) == 0 else {
            return errno
        }
        return nil
    }
}
