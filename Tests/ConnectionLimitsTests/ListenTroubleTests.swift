import ConnectionLimits
import Glibc
import NIOCore
import NIOPosix
import Testing

@Suite struct ListenTroubleTests {
    /// What the system says to who listens there.
    private func trouble(_ host: String, _ port: Int) async throws -> String {
        do {
            let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: host, port: port)
                .get()
            try await channel.close()
            return "it can"
        } catch {
            return ListenTrouble(error, at: "\(host):\(port)").sentence(change: "change listen")
        }
    }

    @Test func anAddressThatIsTakenIsSaidInOurWords() async throws {
        let other = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        let port = other.localAddress?.port ?? 0
        let said = try await trouble("127.0.0.1", port)
        #expect(
            said
                == "can't listen on 127.0.0.1:\(port): another program listens there already (`ss -ltnp` names it): end that program or change listen"
        )
        try await other.close()
    }

    @Test func anAddressThatThisMachineDoesNotHaveIsSaidSo() async throws {
        #expect(
            try await trouble("192.0.2.1", 0)
                == "can't listen on 192.0.2.1:0: this machine has no such address (`ip address` lists those it has): change listen"
        )
    }

    @Test func aNameThatNobodyKnowsIsSaidSo() async throws {
        #expect(
            try await trouble("a..b", 0)
                == "can't listen on a..b:0: no address is known by this name: change listen")
    }

    @Test(arguments: [(EAFNOSUPPORT, "addresses of this kind"), (EACCES, "CAP_NET_BIND_SERVICE"), (EMFILE, "ulimit -n")])
    func whatThisMachineCannotShowIsSaidByItsNumber(_ code: CInt, _ words: String) {
        let error = IOError(errnoCode: code, reason: "bind")
        let said = ListenTrouble(error, at: "[::1]:1").sentence(change: "change listen")
        #expect(said.hasPrefix("can't listen on [::1]:1: ") && said.contains(words))
    }
}
