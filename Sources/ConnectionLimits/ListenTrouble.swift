import Glibc
import Health
import NIOCore

/// Why an address can't be listened on.
package struct ListenTrouble: Error {
    private let address: String
    private let error: any Error

    /// - Parameter address: as the configuration has it, or as it was typed.
    package init(_ error: any Error, at address: String) { (self.error, self.address) = (error, address) }

    /// - Parameter change: how another address is chosen, as in `change listen`.
    package func sentence(change: String) -> String {
        let why =
            switch (error as? IOError)?.errnoCode {
            case EADDRINUSE: "another program listens there already (`ss -ltnp` names it): end that program or \(change)"
            case EADDRNOTAVAIL: "this machine has no such address (`ip address` lists those it has): \(change)"
            case EAFNOSUPPORT: "this machine doesn't use addresses of this kind: \(change)"
            case EACCES: "this user may not listen there; a port below 1024 needs the capability CAP_NET_BIND_SERVICE: \(change)"
            case EMFILE, ENFILE: "no file may be opened any more: raise the limit (`ulimit -n`, LimitNOFILE)"
            case _ where error is SocketAddressError.UnknownHost: "no address is known by this name: \(change)"
            default: "\(displayText("\(error)")): \(change)"
            }
        return "can't listen on \(displayText(address)): \(why)"
    }
}
