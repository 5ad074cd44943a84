import Foundation
import TestSupport
import Testing

/// The program on a machine whose resolv.conf has a search domain with a wildcard record: a network of its own, with a DNS server in it.
@Suite(.timeLimit(.minutes(5)), .enabled(if: OwnNetwork.isAllowed, "no user namespaces here")) struct SearchDomainTests {
    @Test func aNameWithADotIsAskedAsItStands() async throws {
        let ended = try await OwnNetwork.run("probe", url: "http://gone.example:PORT/", search: "corp.test")
        #expect(ended.status == 1, "\(ended.output)")
        #expect(ended.output.contains(#""reason":"dns_failed""#))
        #expect(
            ended.output.contains(
                "with a search domain of resolv.conf behind it, it has: if that is meant, set probe.dns_search: true"))
    }

    @Test func theSentenceNamesTheKeyOnlyWhereItWouldHelp() async throws {
        for search in ["other.test", ""] {
            let ended = try await OwnNetwork.run("probe", url: "http://gone.example:PORT/", search: search)
            #expect(ended.status == 1 && ended.output.contains(#""reason":"dns_failed""#), "\(ended.output)")
            #expect(!ended.output.contains("dns_search"))
        }
    }

    @Test func searchDomainsAreUsedWhereTheyAreWanted() async throws {
        let ended = try await OwnNetwork.run(
            "probe", url: "http://gone.example:PORT/", search: "corp.test", probe: "dns_search: true")
        #expect(ended.status == 0, "\(ended.output)")
    }

    @Test(arguments: ["web", "listed.example", "real.example"])
    func aNameWithoutADotAndOneOfTheHostsFileAreFoundAsEver(host: String) async throws {
        let ended = try await OwnNetwork.run("probe", url: "http://\(host):PORT/", search: "corp.test")
        #expect(ended.status == 0, "\(ended.output)")
    }

    @Test func aChangeOfResolvConfIsSeenByTheRunningDaemon() async throws {
        let ended = try await OwnNetwork.run("run", url: "http://web:PORT/", search: "")
        #expect(ended.status == 0, "\(ended.output)")
    }
}

/// A user, mount and network namespace in which only loopback and a small DNS server are.
private enum OwnNetwork {
    private static let unshare = ["unshare", "--map-root-user", "--mount", "--net"]

    static let isAllowed = (try? ChildProcess.run("/usr/bin/env", unshare + ["true"]).status) == 0

    /// Probes a URL, whose PORT is that of a server in there; or runs the daemon with that one target until it is up, which it isn't before
    /// resolv.conf has got the search domain.
    static func run(_ command: String, url: String, search: String, probe: String = "") async throws -> ChildProcess.Ended {
        let folder = try TemporaryFolder()
        let arguments = unshare + ["python3", "-c", script, Program.path, command, url, search, probe]
        return try await onThread { try ChildProcess.run("/usr/bin/env", arguments, in: folder.path) }
    }

    private static let script = #"""
        import ctypes, fcntl, http.server, json, os, socket, struct, subprocess, sys, threading
        program, command, url, search, probe = sys.argv[1:]

        control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        SIOCSIFFLAGS, IFF_UP = 0x8914, 1
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))

        def resolver(domain):
            with open("resolv.conf", "w") as file:
                file.write("nameserver 127.0.0.1\n" + (f"search {domain}\n" if domain else ""))

        resolver(search)
        open("hosts", "w").write("127.0.0.1 localhost listed.example\n")
        open("nsswitch.conf", "w").write("hosts: files dns\n")
        libc = ctypes.CDLL(None, use_errno=True)
        MS_BIND = 4096
        for name in ("resolv.conf", "hosts", "nsswitch.conf"):
            if libc.mount(name.encode(), f"/etc/{name}".encode(), None, MS_BIND, None) != 0:
                sys.exit(f"{name}: {os.strerror(ctypes.get_errno())}")

        def names():
            server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            server.bind(("127.0.0.1", 53))
            ready.set()
            while True:
                query, client = server.recvfrom(2048)
                labels, at = [], 12
                while query[at]:
                    labels.append(query[at + 1:at + 1 + query[at]].decode())
                    at += 1 + query[at]
                name, kind = ".".join(labels), query[at + 1:at + 3]
                known = name.endswith(".corp.test") or name == "real.example"
                answers = 1 if known and kind == b"\0\1" else 0
                head = query[:2] + (b"\x81\x80" if known else b"\x81\x83") + b"\0\1" + struct.pack(">HHH", answers, 0, 0)
                record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton("127.0.0.1")
                server.sendto(head + query[12:at + 5] + record * answers, client)

        class Web(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                record = {"pKey": "c", "sKey": "t", "targetName": "One", "targetBaseURL": url, "targetTestPath": "/",
                          "targetRegion": "r", "targetDefaultRuleEffect": "allow"}
                body = json.dumps({"targets": [record], "message": "Success"}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments): pass

        ready = threading.Event()
        threading.Thread(target=names, daemon=True).start()
        ready.wait()
        web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
        threading.Thread(target=web.serve_forever, daemon=True).start()
        url = url.replace("PORT", str(web.server_port))
        with open("token", "w") as file: file.write("t0ken")
        os.chmod("token", 0o600)
        # A probe alone begins once: on a machine that is busy with other tests, its threads wait for a processor first. A daemon goes on.
        timeout = "60s" if command == "probe" else "2s"
        with open("rangefinder.yaml", "w") as file:
            file.write(f"""
        vantage: test
        listen: 127.0.0.1:0
        targets_api: {{base_url: "http://127.0.0.1:{web.server_port}", clients: [{{id: c, token_file: token}}]}}
        history: {{path: history.db}}
        egress: {{allow: [127.0.0.0/8]}}
        probe: {{interval: {timeout}, fast_interval: 100ms, timeout: {timeout}, {probe}}}
        """)
        if command == "probe":
            sys.exit(subprocess.run([program, "probe", url, "--json", "--config", "rangefinder.yaml"]).returncode)
        daemon = subprocess.Popen([program, "run", "--config", "rangefinder.yaml"], stderr=subprocess.PIPE, text=True)
        seen, is_up = "", False
        for line in daemon.stderr:
            seen += line
            if "One is down" in line: resolver("corp.test")
            if "One is up" in line:
                is_up = True
                break
        daemon.terminate()
        daemon.communicate()
        if not is_up or "One is down" not in seen: sys.exit(seen)
        """#
}
