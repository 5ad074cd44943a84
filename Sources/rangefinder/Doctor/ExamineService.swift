import Glibc
import Health

/// What systemd says of our units, asked once each by `systemctl show`.
enum Systemd {
    static var isRunning: Bool { access("/run/systemd/system", F_OK) == 0 }

    /// nil where nobody can say.
    static var isClockSynchronised: Bool? {
        guard isRunning else { return nil }
        let answer = output("timedatectl show --property=NTPSynchronized --value 2>/dev/null").filter { $0 != "\n" }
        return ["yes": true, "no": false][answer]
    }

    /// nil where systemd doesn't run, the unit isn't there, or the property is empty.
    static func property(_ name: String, of unit: String = "rangefinder.service") -> String? {
        guard isRunning else { return nil }
        let text = output("systemctl show --property=LoadState --property=\(name) \(unit) 2>/dev/null")
        let pairs = text.split(separator: "\n").map { $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false) }
        let values = Dictionary(pairs.map { (String($0[0]), $0.count > 1 ? String($0[1]) : "") }) { first, _ in first }
        guard values["LoadState"] == "loaded", let value = values[name], !value.isEmpty else { return nil }
        return value
    }

    /// The credentials that the unit loads, by their ids: where systemd looks for each (systemd.exec(5), LoadCredential=). From the unit's
    /// text, because `systemctl show` of Debian 12 calls them unprintable. Empty where the unit isn't there, or has encrypted ones.
    static func credentials(of unit: String = "rangefinder.service") -> [String: [String]] {
        guard isRunning else { return [:] }
        var found: [String: [String]] = [:]
        for line in output("systemctl cat \(unit) 2>/dev/null").split(separator: "\n") {
            if line.hasPrefix("LoadCredentialEncrypted=") { return [:] }
            guard line.hasPrefix("LoadCredential=") else { continue }
            let parts = line.dropFirst("LoadCredential=".count).split(separator: ":", maxSplits: 1).map(String.init)
            guard let id = parts.first else {
                found = [:]
                continue
            }
            let path = parts.count == 2 ? parts[1] : id
            found[id] =
                path.hasPrefix("/") ? [path] : ["/etc/credstore/", "/run/credstore/", "/usr/lib/credstore/"].map { $0 + path }
        }
        return found
    }

    /// Of a command of ours: nothing foreign is in it.
    private static func output(_ command: String) -> String {
        guard let pipe = popen(command, "re") else { return "" }
        defer { pclose(pipe) }
        var (text, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 4096))
        while case let count = fread(&buffer, 1, buffer.count, pipe), count > 0, text.count < 64 << 10 {
            text += buffer[..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension Examination {
    mutating func checkService() {
        guard Systemd.isRunning else { return skip("service", "systemd doesn't run here") }
        guard let state = Systemd.property("ActiveState") else {
            return warn("service", "rangefinder.service isn't installed", "install the package, or systemd/rangefinder.service")
        }
        let details = displayText(Systemd.property("StatusText") ?? Systemd.property("Result") ?? "")
        if Systemd.property("NeedDaemonReload") == "yes" {
            warn("service", "its unit has changed since systemd read it", "run systemctl daemon-reload")
        }
        switch state {
        case "active", "reloading": ok("service", "it is active: \(details)")
        case "activating": warn("service", "it is starting: \(details)", "see journalctl -u rangefinder if it lasts")
        case "failed":
            bad("service", "it has failed: \(details)", "see journalctl -u rangefinder, then systemctl restart rangefinder")
        default: warn("service", "it is not running", "systemctl enable --now rangefinder")
        }
        if Systemd.property("UnitFileState") == "disabled" {
            warn("service", "it doesn't start with the machine", "systemctl enable rangefinder")
        }
    }
}
