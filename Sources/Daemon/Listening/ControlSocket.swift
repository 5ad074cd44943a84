import Glibc
import Health

/// Where the commands of this machine reach the daemon: a Unix socket that speaks the listener's HTTP.
package enum ControlSocket {
    /// sockaddr_un(7), less the zero at its end.
    private static let longest = 107

    /// In the runtime directory where the service manager made one (systemd.exec(5), RuntimeDirectory=), else beside the database. nil when
    /// that is longer than a socket's path may be.
    static func path(database: String, runtimeDirectory: String?) -> String? {
        let directory = runtimeDirectory?.split(separator: ":").first
        let path = directory.map { "\($0)/control.sock" } ?? database + ".sock"
        return path.utf8.count <= longest ? path : nil
    }

    /// Where a command looks for the daemon of a database, in that order.
    package static func candidates(database: String) -> [String] {
        [database + ".sock", "/run/rangefinder/control.sock"].filter { path in
            path.utf8.count <= longest && access(path, F_OK) == 0
        }
    }
}
