import Alerting
import Daemon
import Glibc
import Health
import History
import Settings

extension Examination {
    private static let freeMin: UInt64 = 1 << 30

    mutating func checkDatabase(_ settings: Settings) {
        let path = settings.history.path
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        guard access(folder, F_OK) == 0 else {
            if folder == "/var/lib/rangefinder", Systemd.property("StateDirectory") != nil {
                return ok("database", "\(folder) is made by systemd at the first start")
            }
            return bad("database", "there is no folder \(displayText(folder))", "make it, for the user that the daemon runs as")
        }
        checkSpace(folder)
        guard mayBeWrittenByTheUnit(folder) else { return }
        checkOwner(folder)
        guard access(path, F_OK) == 0 else { return ok("database", "\(displayText(path)) is made at the first start") }
        do throws(HistoryError) {
            let reader = try HistoryReader.open(path: path)
            let rows = try reader.statuses()
            let isHeld = InstanceLock.isHeld(besides: path)
            ok(
                "database",
                "\(displayText(path)) can be read and knows \(counted(rows.count, "target"))"
                    + (isHeld == true ? "; a daemon uses it" : ""))
            sayUnprobeable(rows.filter(\.isUnprobeable), settings)
            checkAlerts(SetAside.read(try reader.documents(kind: SetAside.kind)))
        } catch {
            bad("database", "\(error)", "run `rangefinder history check --database \(displayText(path))`")
        }
    }

    /// - Parameter setAside: what webhooks refused for good, oldest first.
    private mutating func checkAlerts(_ setAside: [SetAside.Message]) {
        guard let last = setAside.last else { return ok("alerts", "no message is set aside") }
        let count = counted(setAside.count, "message is", "messages are")
        warn(
            "alerts",
            "\(count) set aside, because a webhook refused them; the last at \(last.at): \(last.channel): \(displayText(last.reason))",
            "see in the receiver's log why, and mend its URL, its credentials or its limits; they are not sent again")
    }

    private mutating func sayUnprobeable(_ rows: [TargetStatusRow], _ settings: Settings) {
        for row in rows.prefix(5) {
            warn("targets", "\(displayText(row.target.name)) can't be probed", unprobeableRemedy(row, settings))
        }
        guard rows.count > 5 else { return }
        warn(
            "targets", "and \(counted(rows.count - 5, "more target", "more targets")) can't be probed",
            "`rangefinder status` names them")
    }

    /// What the unit's sandbox leaves the service to write to, whoever owns the rest (systemd.exec(5), ProtectSystem=).
    private mutating func mayBeWrittenByTheUnit(_ folder: String) -> Bool {
        guard geteuid() == 0, Systemd.property("ProtectSystem") == "strict" else { return true }
        let words = { (name: String) in (Systemd.property(name) ?? "").split(separator: " ").map(String.init) }
        let writable = words("StateDirectory").map { "/var/lib/" + $0 } + words("ReadWritePaths")
        if writable.contains(where: { folder == $0 || folder.hasPrefix($0 + "/") }) { return true }
        bad(
            "database",
            "the unit lets the service write to \(displayText(writable.joined(separator: " "))), and not to \(displayText(folder))",
            "set history.path below /var/lib/rangefinder, or add ReadWritePaths= by `systemctl edit rangefinder`")
        return false
    }

    private mutating func checkSpace(_ folder: String) {
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return }
        let free = UInt64(facts.f_bavail) * UInt64(facts.f_frsize)
        let words = "\(free >> 20) MiB are free in \(displayText(folder))"
        if free < 64 << 20 {
            bad("disk", words, "make room, or set history.max_size")
        } else if free < Self.freeMin {
            warn("disk", words, "make room, or set history.max_size: docs/history.md says what a target takes")
        } else {
            ok("disk", words)
        }
    }

    /// Root may write everywhere: what counts is whether the service's user may.
    private mutating func checkOwner(_ folder: String) {
        var facts = stat()
        guard stat(folder, &facts) == 0 else { return }
        if geteuid() != 0 {
            if access(folder, W_OK) != 0 {
                bad(
                    "database", "this user may not write to \(displayText(folder))",
                    "run this as the daemon's user, or chown the folder")
            }
            return
        }
        guard let name = Systemd.property("User"), let user = getpwnam(name) else { return }
        let isTheirs = facts.st_uid == user.pointee.pw_uid && facts.st_mode & S_IWUSR != 0
        if !isTheirs {
            bad(
                "database", "\(displayText(folder)) isn't \(displayText(name))'s",
                "chown -R \(displayText(name)): \(displayText(folder))")
        }
    }
}
