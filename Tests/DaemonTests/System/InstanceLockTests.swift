import Glibc
import TestSupport
import Testing

@testable import Daemon

@Suite struct InstanceLockTests {
    @Test func oneAtATimeHasADatabase() throws {
        let folder = try TemporaryFolder()
        let database = folder.file("history.db")
        #expect(InstanceLock.isHeld(besides: database) == nil)
        let first = try #require(try InstanceLock(besides: database))
        #expect(throws: InstanceLock.Failure.self) { try InstanceLock(besides: database) }
        #expect(InstanceLock.isHeld(besides: database) == true)
        first.release()
        #expect(InstanceLock.isHeld(besides: database) == false)
        _ = try #require(try InstanceLock(besides: database))
    }

    /// What a child has of us between fork and exec: the same open file, which would keep the lock of a file that we only closed.
    @Test func theNextOneGetsInWhileAChildStillHasTheFileOpen() throws {
        let folder = try TemporaryFolder()
        let database = folder.file("history.db")
        var first: InstanceLock? = try InstanceLock(besides: database)
        #expect(first != nil)
        let inherited = try #require(descriptors(of: database + ".lock").map { dup($0) }.first)
        defer { close(inherited) }
        first = nil
        _ = try #require(try InstanceLock(besides: database))
    }

    @Test func whoeverAsksIsInNobodysWay() async throws {
        let folder = try TemporaryFolder()
        let database = folder.file("history.db")
        let asking = Task.detached {
            while !Task.isCancelled { _ = InstanceLock.isHeld(besides: database) }
        }
        for _ in 1...2_000 { try #require(try InstanceLock(besides: database)).release() }
        asking.cancel()
        await asking.value
    }

    private func descriptors(of path: String) -> [Int32] {
        (0..<4_096).filter { descriptor in
            var target = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink("/proc/self/fd/\(descriptor)", &target, target.count)
            return count > 0 && target.prefix(count).elementsEqual(path.utf8.map { CChar(bitPattern: $0) })
        }
    }
}
