import Glibc
import Health
import Settings

extension Examination {
    /// Root reads everything: what counts is whether the service's user does, from within the unit's sandbox.
    mutating func checkFiles(_ files: [String]) {
        let more = Systemd.property("SupplementaryGroups")?.split(separator: " ").map(String.init) ?? []
        guard geteuid() == 0, let name = Systemd.property("User"), let user = OtherUser(named: name, alsoIn: more) else { return }
        // What systemd hands on as a credential only root has to read.
        for file in files where !file.hasPrefix(serviceCredentials) {
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

/// Where systemd puts the service's credentials while it runs.
private let serviceCredentials = "/run/credentials/rangefinder.service/"

extension ProcessEnvironment {
    /// With the secrets that systemd will hand on to the service, for root, who can read them where they are kept: what the service isn't
    /// handed isn't there.
    func asTheServiceSeesThem() -> ProcessEnvironment {
        let credentials = geteuid() == 0 ? Systemd.credentials() : [:]
        guard !credentials.isEmpty, environment("CREDENTIALS_DIRECTORY") == nil else { return self }
        var surroundings = self
        surroundings.environment = { [environment] name in
            name == "CREDENTIALS_DIRECTORY" ? String(serviceCredentials.dropLast()) : environment(name)
        }
        surroundings.readFile = { [readFile] path, limit throws(FileProblem) in
            guard path.hasPrefix(serviceCredentials) else { return try readFile(path, limit) }
            for place in credentials[String(path.dropFirst(serviceCredentials.count))] ?? [] {
                do throws(FileProblem) { return try readFile(place, limit) } catch  where error == .notFound { continue }
            }
            throw .notFound
        }
        return surroundings
    }
}

/// A user, as whom root may ask the kernel. All of the process is that user meanwhile: for a command at its start.
struct OtherUser {
    private let id: uid_t
    private let group: gid_t
    /// As systemd gives them: those of the user, and what the unit adds.
    private let groups: [gid_t]

    /// nil when nobody has that name.
    init?(named name: String, alsoIn more: [String] = []) {
        guard let entry = getpwnam(name) else { return nil }
        (id, group) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
        var (own, count) = ([gid_t](repeating: 0, count: 1024), Int32(1024))
        let isWhole = getgrouplist(name, group, &own, &count) >= 0
        groups = own.prefix(isWhole ? Int(count) : 0) + more.compactMap { getgrnam($0)?.pointee.gr_gid }
    }

    /// By the file's permissions, its access lists and the folders above it, all as the kernel counts them (seteuid(2)).
    func canRead(_ path: String) -> Bool {
        var before = [gid_t](repeating: 0, count: Int(getgroups(0, nil)))
        let count = getgroups(Int32(before.count), &before)
        guard count >= 0, setgroups(groups.count, groups) == 0 else { return true }
        let own = getegid()
        setegid(group)
        seteuid(id)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        seteuid(0)
        setegid(own)
        setgroups(Int(count), before)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }
}
