import Health

/// What to do about a target: a sentence, and what to type. The sentences are those of docs/reasons.md, in short.
struct Advice {
    struct Command {
        var why: String
        var text: String
    }

    private let facts: TargetFacts

    init(_ facts: TargetFacts) { self.facts = facts }

    var sentence: String {
        if let reason = facts.live.reason, facts.live.status != .up { return reason.advice }
        if let cause = facts.live.cause { return cause.advice }
        switch facts.live.status {
        case .unknown: return "Wait for its first result that counts."
        case .up: return "There is nothing to do."
        case .degraded, .down: return "Wait for the next probes: the last one was good."
        }
    }

    var commands: [Command] {
        let key = facts.identity.identity.key
        // What begins with a dash would be an option.
        let id = (key.hasPrefix("-") ? "-- " : "") + shellWord(key)
        let place = facts.configurationPath.map { " --config \(shellWord($0))" } ?? " --database \(shellWord(facts.database))"
        var commands: [Command] = []
        if facts.configurationPath != nil {
            commands.append(
                Command(
                    why: "One probe now, as the daemon makes it", text: "rangefinder probe\(place) --target=\(shellWord(key))"))
        }
        commands.append(Command(why: "How it was before", text: "rangefinder history\(place) --since 1d \(id)"))
        // Where a value of the query is replaced, the command would ask for something else.
        if facts.isPlainRequest, !facts.url.contains("…"), facts.url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
            commands.append(
                Command(
                    why: "The same request without Rangefinder",
                    text: "curl -v --max-time \(max(1, (facts.timeout.wholeMilliseconds + 999) / 1000)) \(shellWord(facts.url))"))
        }
        if facts.live.reason == .dnsFailed, let host = facts.identity.host {
            commands.append(Command(why: "Ask the same resolver", text: "getent ahosts \(shellWord(host + "."))"))
        }
        if let host = facts.identity.host, let endpoint = facts.endpoint,
            facts.live.reason?.rawValue.hasPrefix("certificate_") ?? false
        {
            commands.append(
                Command(
                    why: "The certificates as the server presents them",
                    text: "openssl s_client -connect \(shellWord(endpoint)) -servername \(shellWord(host)) -showcerts </dev/null")
            )
        }
        if let incident = facts.openIncident {
            commands.append(
                Command(why: "All that is kept of the incident", text: "rangefinder incidents show \(incident.entry.id)\(place)"))
        }
        return commands
    }
}

/// A word that a shell takes as it is. Control characters have no place in a line that somebody copies.
package func shellWord(_ text: String) -> String {
    let isPlain =
        !text.isEmpty
        && text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (97...122).contains(byte | 0x20) || "-_./:@%+=,".utf8.contains(byte)
        }
    return isPlain ? text : "'" + displayText(text).replacing("'", with: "'\\''") + "'"
}

extension Reason {
    fileprivate var advice: String {
        switch self {
        case .dnsFailed: "Ask the same resolver, and check whether the domain has expired."
        case .addressDenied: "If the target should be probed, add its block to egress.allow."
        case .connectRefused: "Check whether the service runs, and on which port."
        case .connectTimeout: "Look for a firewall that drops packets, a machine that is off, or a route that is gone."
        case .connectReset:
            "Look for a service that crashes, a load balancer without a living backend, or a limit on connections."
        case .connectionClosed: "See the service's own log. Often a worker died, or plain HTTP was sent to another protocol."
        case .networkUnreachable:
            "Look at the routes of the daemon's machine. For IPv6 addresses, check whether this machine has IPv6 at all."
        case .proxyFailed: "Check whether the proxy allows CONNECT to this address and port."
        case .tlsHandshakeFailed:
            "The sentence names the fault: protocol versions, ciphers, a client certificate, or plain HTTP on that port."
        case .certificateExpired: "Renew the certificate. If it was renewed, reload the server."
        case .certificateNotYetValid: "Compare the clocks of both machines."
        case .certificateUntrusted:
            "If the certificate is of an authority of your own, name that in ca_file. Otherwise the server often lacks an intermediate certificate."
        case .certificateNameMismatch: "The server has no certificate for this name, and sent its default one."
        case .timeout: "Look at the phases: processing is the service, transfer is the body or the network."
        case .protocolError: "See the sentence. Often a proxy between the daemon and the target is broken."
        case .tooManyRedirects: "Look for a loop, often between http and https behind a load balancer."
        case .redirectDenied: "Look at the Location header. If the address is right, add it to egress.allow."
        case .bodyTooLarge: "Probe a smaller page, or raise max_body."
        case .statusUnexpected: "Look for the fault in the service. If the status is right, add it to expect.status."
        case .bodyMismatch: "Compare the body with expect.body_matches or expect.body_json."
        case .urlInvalid: "Correct the record. The URL needs http or https, no user name, and a path that stays on its host."
        case .proberFault: "See the daemon's log, which names the limit. The target is not to blame."
        }
    }
}

extension Cause {
    fileprivate var advice: String {
        switch self {
        case .slow: "Look at the phases: processing is the service, connect and transfer are the network."
        case .certificateExpiring: "Renew the certificate before it expires, and reload the server."
        case .addressFailing:
            "One of the addresses of the name does not answer. Take it out of DNS, or repair the machine behind it."
        case .flapping: "It goes up and down. Look for a load balancer with one bad backend, or a service that restarts."
        case .credentialsWanted:
            "It has never let this daemon in. Set the header or the client certificate that it wants in an override."
        }
    }
}
