import Foundation
import TestSupport
import Testing

private let environment = ProcessInfo.processInfo.environment
private let whyNot = environment["RANGEFINDER_CONTAINER_SKIPPED"] ?? "scripts/test prepares a container; run that"

/// The package in a booted Debian 12: installed, started, watched, broken and taken away, as an operator and bad luck would.
@Suite(.enabled(if: environment["RANGEFINDER_CONTAINER_ROOT"] != nil, "\(whyNot)"), .timeLimit(.minutes(10)))
struct InstallationTests {
    private static let api = "http://127.0.0.1:10116/api/clients/c"

    private static func configuration(api: String = "http://127.0.0.1:10116") -> String {
        """
        vantage: test
        targets_api:
          base_url: \(api)
          clients: [{id: c, token_file: user-token}]
          sync_interval: 1s
          timeout: 3s
        targets_server: {listen: "127.0.0.1:10116", database: /var/lib/rangefinder/targets.db, token_file: registry-token}
        probe: {interval: 1s, fast_interval: 200ms, timeout: 900ms}
        egress: {allow: [127.0.0.0/8]}
        """
    }

    @Test func anInstallationFromItsPackageToItsPurge() async throws {
        let box = try await Container.boot()
        defer { box.end() }
        try await install(in: box)
        try await becomesActiveOnlyWhenItIsReady(in: box)
        try await isScrapedAndReadByItsGroup(in: box)
        try await reloads(in: box)
        try await isRestartedByTheWatchdog(in: box)
        try await comesBackFromAKill(in: box)
        try await survivesAFullDisk(in: box)
        try await refusesNoScrapeWhileItRestarts(in: box)
        try await isUpgraded(in: box)
        try await isRemovedAndPurged(in: box)
    }

    @Test(.enabled(if: Self.hasLintian, "lintian is not installed")) func lintianFindsNoError() async throws {
        let ended = try await onThread {
            try ChildProcess.run("lintian", ["--allow-root", "--fail-on", "error,warning", try Packages().path(".deb")])
        }
        #expect(ended.status == 0)
        #expect(ended.output == "")
    }

    private static let hasLintian = FileManager.default.isExecutableFile(atPath: "/usr/bin/lintian")

    private func install(in box: Container) async throws {
        try FileManager.default.copyItem(atPath: Packages().path(".deb"), toPath: box.folder.file("one.deb"))
        try await box.must("dpkg -i /exchange/one.deb")
        #expect(try await box.run("systemctl is-enabled rangefinder").output == "disabled\n")
        #expect(try await box.property("ActiveState") == "inactive")
        #expect(try await box.must("rangefinder --version").hasPrefix("rangefinder "))
        #expect(try await box.run("systemd-analyze verify --man=no rangefinder.service rangefinder.socket").output == "")
        let rating = try await box.must("systemd-analyze security --no-pager rangefinder.service | tail -n 1")
        let exposure = rating.split(separator: " ").compactMap { Double($0) }.first
        #expect(exposure.map { $0 <= 1.2 } == true, "\(rating)")
        // A small disk of its own, so that it can be filled.
        try await box.must("install -d -m 0750 -o rangefinder -g rangefinder /var/lib/rangefinder")
        try await box.must("mount -t tmpfs -o size=96m,mode=0750,uid=rangefinder,gid=rangefinder tmpfs /var/lib/rangefinder")
        try await box.must("install -d -m 700 /etc/credstore")
        for name in ["user-token", "registry-token"] {
            try await box.write("t0ken-4711\n", to: "/etc/credstore/rangefinder.\(name)")
        }
        try await box.must("chmod 600 /etc/credstore/*")
    }

    /// The Targets API is a socket that takes connections and never answers, then the embedded one.
    private func becomesActiveOnlyWhenItIsReady(in box: Container) async throws {
        try await box.write("[Socket]\nListenStream=127.0.0.1:9\n", to: "/run/systemd/system/mute.socket")
        try await box.write("[Service]\nExecStart=/bin/sleep infinity\n", to: "/run/systemd/system/mute.service")
        try await box.must("systemctl daemon-reload && systemctl start mute.socket")
        try await box.write(Self.configuration(api: "http://127.0.0.1:9"), to: "/etc/rangefinder/rangefinder.yaml")
        try await box.must("rangefinder check-config --config /etc/rangefinder/rangefinder.yaml")
        try await box.must("systemctl start --no-block rangefinder")
        try await box.until("curl -s http://127.0.0.1:10115/-/healthy", says: "healthy")
        #expect(try await box.property("ActiveState") == "activating")
        try await box.until("systemctl show rangefinder --property=ActiveState", says: "=active")
        try await box.until(
            "systemctl show rangefinder --property=StatusText", says: "no targets: The Targets API did not answer in time")
        #expect(
            try await box.must(
                "ps -o user= -p $(systemctl show rangefinder -P MainPID) 2>/dev/null || stat -c %U /proc/$(systemctl show rangefinder -P MainPID)"
            ) == "rangefinder\n")

        try await box.write(Self.configuration(), to: "/etc/rangefinder/rangefinder.yaml")
        for (name, path) in [("good", "/-/healthy"), ("bad", "/nothing")] {
            try await box.must(
                "curl -sf -H 'Authorization: t0ken-4711' -H 'Content-Type: application/json' -d @- \(Self.api)/targets",
                input: """
                    {"targetName": "\(name)", "targetBaseURL": "http://127.0.0.1:10115", "targetTestPath": "\(path)", "targetRegion": "r"}
                    """)
        }
        try await box.must("systemctl reload rangefinder")
        try await box.until("systemctl show rangefinder --property=StatusText", says: "2 targets: 1 up, 1 down")
    }

    private func isScrapedAndReadByItsGroup(in box: Container) async throws {
        let page = try await box.must("curl -sf http://127.0.0.1:10115/metrics")
        #expect(page.contains("\nprobe_success{"))
        let reader = "setpriv --reuid=nobody --regid=rangefinder --clear-groups rangefinder"
        #expect(try await box.must("\(reader) status --database /var/lib/rangefinder/history.db").contains("down"))
        #expect(try await box.run("setpriv --reuid=nobody --regid=nogroup --clear-groups ls /var/lib/rangefinder").status != 0)
        #expect(
            try await box.must("rangefinder sync --config /etc/rangefinder/rangefinder.yaml 2>&1").contains(
                "2 targets are watched"))
        let doctor = try await box.run("rangefinder doctor")
        #expect(!doctor.output.contains("bad "), "\(doctor.output)")
        #expect(doctor.output.contains("it is active: 2 targets"), "\(doctor.output)")
        // What root reads, the service needn't.
        try await box.must(
            "mkdir /etc/rangefinder/own && install -m 600 /etc/credstore/rangefinder.user-token /etc/rangefinder/own/token")
        try await box.write(
            Self.configuration().replacingOccurrences(of: "user-token", with: "/etc/rangefinder/own/token"), to: "/etc/wrong.yaml"
        )
        #expect(
            try await box.run("rangefinder doctor --config /etc/wrong.yaml").output.contains(
                "the service's user rangefinder can't read /etc/rangefinder/own/token"))
        try await box.must("chgrp rangefinder /etc/rangefinder/own/token && chmod 640 /etc/rangefinder/own/token")
        #expect(try await !box.run("rangefinder doctor --config /etc/wrong.yaml").output.contains("can't read"))
        // A name without a slash is a credential, and nothing else, to the service.
        try await box.write("t0ken-4711\n", to: "/etc/rangefinder/other-token")
        try await box.write(
            Self.configuration().replacingOccurrences(of: "user-token", with: "other-token")
                + "\nhistory: {path: /srv/history.db}\n", to: "/etc/rangefinder/wrong.yaml")
        let wrong = try await box.run("rangefinder doctor --config /etc/rangefinder/wrong.yaml")
        #expect(wrong.output.contains("put the secret into /etc/credstore/rangefinder.other-token"), "\(wrong.output)")
        try await box.write(
            Self.configuration() + "\nhistory: {path: /srv/history.db}\n", to: "/etc/rangefinder/wrong.yaml")
        #expect(
            try await box.run("rangefinder doctor --config /etc/rangefinder/wrong.yaml").output.contains(
                "lets the service write to /var/lib/rangefinder, and not to /srv"))
        try await box.must("rm /etc/rangefinder/wrong.yaml /etc/rangefinder/other-token")
        // Under ProcSubset=pid, too.
        #expect(page.contains("\nprocess_start_time_seconds "))
        // Journald knows which lines are errors, and nobody finds a token.
        #expect(try await box.must("journalctl -u rangefinder -p err -o cat --no-pager").contains("bad is down"))
        #expect(try await !box.must("journalctl -u rangefinder -p notice -o cat --no-pager").contains("listening"))
        #expect(try await !box.must("journalctl -o cat --no-pager").contains("t0ken-4711"))
    }

    private func reloads(in box: Container) async throws {
        let pid = try await box.property("MainPID")
        try await box.write(Self.configuration() + "\nlog: {level: debug}\n", to: "/etc/rangefinder/rangefinder.yaml")
        try await box.must("systemctl reload rangefinder")
        try await box.until("journalctl -u rangefinder -o cat --no-pager", says: "sync: nothing changed")
        try await box.write(Self.configuration() + "\nnonsense: 1\n", to: "/etc/rangefinder/rangefinder.yaml")
        #expect(try await box.run("systemctl reload rangefinder").status != 0)
        #expect(try await box.run("rangefinder reload 2>&1").output.contains("unknown key 'nonsense'"))
        try await box.until("journalctl -u rangefinder -p err -o cat --no-pager", says: "unknown key 'nonsense'")
        try await box.until("systemctl show rangefinder -P StatusText", says: "1 down; the last reload failed")
        try await box.until("curl -s http://127.0.0.1:10115/metrics", says: "\nrangefinder_config_last_reload_successful 0\n")
        #expect(try await box.property("ActiveState") == "active")
        try await box.write(Self.configuration(), to: "/etc/rangefinder/rangefinder.yaml")
        try await box.must("systemctl reload rangefinder")
        try await box.until("curl -s http://127.0.0.1:10115/metrics", says: "\nrangefinder_config_last_reload_successful 1\n")
        // The signal does the same.
        try await box.must("kill -HUP \(pid)")
        try await box.until("journalctl -u rangefinder -p notice -o cat --no-pager | grep -c '^reloaded'") {
            (Int($0.dropLast()) ?? 0) >= 4
        }
        #expect(try await box.property("MainPID") == pid)
    }

    /// Only the thread that starts the probes stands still: the rest lives, answers and has nothing to feed the watchdog with.
    private func isRestartedByTheWatchdog(in box: Container) async throws {
        try await box.must("mkdir -p /run/systemd/system/rangefinder.service.d")
        try await box.write("[Service]\nWatchdogSec=4\n", to: "/run/systemd/system/rangefinder.service.d/quick.conf")
        try await box.must("systemctl daemon-reload && systemctl restart rangefinder")
        try await box.until("systemctl show rangefinder --property=StatusText", says: "2 targets: 1 up, 1 down")
        let pid = try await box.property("MainPID")
        let thread = try FrozenThread(try await box.thread("probes-0"))
        try await box.until("journalctl -u rangefinder --no-pager", says: "Watchdog timeout")
        // A thread that is traced can't be buried.
        thread.letGo()
        try await box.until("systemctl show rangefinder -P NRestarts", says: "1")
        try await box.until("systemctl show rangefinder --property=StatusText", says: "2 targets: 1 up, 1 down")
        #expect(try await box.property("MainPID") != pid)
    }

    private func comesBackFromAKill(in box: Container) async throws {
        let query =
            "sqlite3 -readonly /var/lib/rangefinder/history.db 'SELECT count(*) FROM incident_history WHERE closed_as IS NULL'"
        #expect(try await box.must(query) == "1\n")
        let restarts = try await box.property("NRestarts")
        try await box.must("kill -KILL $(systemctl show rangefinder -P MainPID)")
        try await box.until("systemctl show rangefinder -P NRestarts") { $0 != restarts + "\n" && !$0.isEmpty }
        try await box.until("systemctl show rangefinder --property=ActiveState", says: "=active")
        // What it knew, and the same incident.
        try await box.until("systemctl show rangefinder --property=StatusText", says: "1 up, 1 down")
        #expect(
            try await box.must("sqlite3 -readonly /var/lib/rangefinder/history.db 'SELECT count(*) FROM incident_history'")
                == "1\n")
    }

    private func survivesAFullDisk(in box: Container) async throws {
        let pid = try await box.property("MainPID")
        _ = try await box.run("dd if=/dev/zero of=/var/lib/rangefinder/filler bs=64k 2>/dev/null")
        try await box.until("curl -s http://127.0.0.1:10115/-/ready", says: "the history can't be written")
        // What is seen is seen: that is no doubt about the vantage.
        #expect(try await box.must("curl -s http://127.0.0.1:10115/metrics").contains("\nrangefinder_vantage_healthy 1\n"))
        #expect(try await box.run("rangefinder doctor").output.contains("make room"))
        try await box.must("rm /var/lib/rangefinder/filler")
        try await box.until("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:10115/-/ready", says: "200")
        #expect(try await box.property("MainPID") == pid)
        try await box.must("rangefinder history check --database /var/lib/rangefinder/history.db")
    }

    private func refusesNoScrapeWhileItRestarts(in box: Container) async throws {
        try await box.must("systemctl stop rangefinder && systemctl start rangefinder.socket")
        // The first scrape starts it.
        #expect(try await box.must("curl -sf http://127.0.0.1:10115/-/healthy") == "healthy\n")
        try await box.must("systemctl restart --no-block rangefinder")
        for _ in 0..<30 { #expect(try await box.must("curl -sf http://127.0.0.1:10115/-/healthy") == "healthy\n") }
        try await box.until("systemctl show rangefinder --property=ActiveState", says: "=active")
        // A configuration that can't start it, and somebody who asks: one attempt each, and the socket stays.
        try await box.must(
            "cp /etc/rangefinder/rangefinder.yaml /etc/rangefinder/good.yaml && echo 'bogus: 1' >>/etc/rangefinder/rangefinder.yaml"
        )
        try await box.must("systemctl stop rangefinder")
        for _ in 0..<3 { #expect(try await box.run("curl -s --max-time 5 http://127.0.0.1:10115/-/healthy").status != 0) }
        #expect(try await box.must("systemctl show rangefinder.socket -P ActiveState") == "active\n")
        try await box.must("mv /etc/rangefinder/good.yaml /etc/rangefinder/rangefinder.yaml")
        #expect(try await box.must("curl -sf http://127.0.0.1:10115/-/healthy") == "healthy\n")
        try await box.must("systemctl stop rangefinder.socket rangefinder && systemctl start rangefinder")
    }

    private func isUpgraded(in box: Container) async throws {
        let folder = box.folder
        for (command, arguments) in [
            ("dpkg-deb", ["-R", folder.file("one.deb"), folder.file("two")]),
            ("sed", ["-i", "s/^Version: .*/&+next/", folder.file("two/DEBIAN/control")]),
            ("dpkg-deb", ["-Znone", "--root-owner-group", "--build", folder.file("two"), folder.file("two.deb")]),
        ] {
            let ended = try await onThread { try ChildProcess.run(command, arguments) }
            #expect(ended.status == 0, "\(ended.output)")
        }
        let count = "sqlite3 -readonly /var/lib/rangefinder/history.db 'SELECT count(*) FROM probe_history'"
        let (pid, before) = (try await box.property("MainPID"), Int(try await box.must(count).dropLast()) ?? 0)
        try await box.must("dpkg -i --force-confold /exchange/two.deb")
        #expect(try await box.property("MainPID") != pid)
        #expect(try await box.must("dpkg-query -W -f '${Version}' rangefinder").hasSuffix("+next"))
        try await box.until("systemctl show rangefinder --property=StatusText", says: "2 targets: 1 up, 1 down")
        #expect(before > 0)
        #expect(Int(try await box.must(count).dropLast()).map { $0 >= before } == true)
        // The operator's own configuration.
        #expect(try await box.must("cat /etc/rangefinder/rangefinder.yaml").contains("vantage: test"))
    }

    private func isRemovedAndPurged(in box: Container) async throws {
        // The disk's own: what a mount holds can't be deleted with the directory.
        try await box.must(
            "systemctl stop rangefinder && cp -a /var/lib/rangefinder /var/tmp/state && umount /var/lib/rangefinder")
        try await box.must("cp -a /var/tmp/state/. /var/lib/rangefinder/ && systemctl start rangefinder")
        try await box.must("dpkg -r rangefinder")
        #expect(try await box.run("systemctl is-active rangefinder").output == "inactive\n")
        #expect(try await box.run("test -e /usr/bin/rangefinder").status != 0)
        try await box.must("test -s /var/lib/rangefinder/history.db && test -s /etc/rangefinder/rangefinder.yaml")
        try await box.must("dpkg -P rangefinder")
        let left = try await box.run("ls -d /var/lib/rangefinder /etc/rangefinder /etc/credstore/rangefinder.* 2>/dev/null")
        #expect(left.output == "")
        try await box.must("getent passwd rangefinder")
    }
}
