import Glibc
import Health

extension Examination {
    /// Root reads everything: what counts is whether the service's user does, from within the unit's sandbox.
    mutating func checkFiles(_ files: [String]) {
        guard geteuid() == 0, let name = Systemd.property("User"), let user = OtherUser(named: name) else { return }
        // What systemd hands on as a credential only root has to read.
        for file in files where !file.hasPrefix("/etc/credstore/") {
            if let setting = hidden(file) {
                bad(
                    "files", "\(displayText(file)) is hidden from the service by \(setting) in its unit",
                    "move it to /etc/rangefinder and name it so in the configuration")
            } else if !user.canRead(file) {
                bad(
                    "files", "the service's user \(displayText(name)) can't read \(displayText(file))",
                    "a secret: move it to /etc/credstore/rangefinder.NAME, LoadCredential= it and name it without a slash; "
                        + "or chgrp \(displayText(name)) and chmod 640")
            }
        }
    }

    private func hidden(_ file: String) -> String? {
        let settings = [("ProtectHome", ["home", "root", "run/user"]), ("PrivateTmp", ["tmp", "var/tmp"])]
        return settings.first { setting, folders in
            folders.contains { file.hasPrefix("/\($0)/") } && ["yes", "tmpfs"].contains(Systemd.property(setting) ?? "no")
        }?.0
    }
}

/// A user, as whom root may ask the kernel. All of the process is that user meanwhile: for a command at its start.
struct OtherUser {
    private let id: uid_t
    private let group: gid_t

    /// nil when nobody has that name.
    init?(named name: String) {
        guard let entry = getpwnam(name) else { return nil }
        (id, group) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
    }

    /// By the file's permissions, its access lists and the folders above it, all as the kernel counts them (seteuid(2)).
    func canRead(_ path: String) -> Bool {
        var groups = [gid_t](repeating: 0, count: Int(getgroups(0, nil)))
        let count = getgroups(Int32(groups.count), &groups)
        guard count >= 0, setgroups(0, nil) == 0 else { return true }
        let own = getegid()
        setegid(group)
        seteuid(id)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        seteuid(0)
        setegid(own)
        setgroups(Int(count), groups)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }
}
