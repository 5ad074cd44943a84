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

    @Test func aSymbolicLinkLeadsToTheSameLock() throws {
        let folder = try TemporaryFolder()
        let (database, link) = (folder.file("history.db"), folder.file("link.db"))
        let first = try #require(try InstanceLock(besides: database))
        #expect(symlink(database, link) == 0)
        #expect(InstanceLock.isHeld(besides: link) == true)
        #expect(throws: InstanceLock.Failure.self) { try InstanceLock(besides: link) }
        first.release()
        _ = try #require(try InstanceLock(besides: link))
    }

    @Test func theDatabaseItselfIsLockedWithoutTheFileBesideIt() throws {
        let folder = try TemporaryFolder()
        let database = folder.file("history.db")
        let first = try #require(try InstanceLock(besides: database))
        unlink(database + ".lock")
        #expect(throws: InstanceLock.Failure.self) { try InstanceLock(besides: database) }
        first.release()
        _ = try #require(try InstanceLock(besides: database))
    }

    /// A damaged database is set aside, and a new one is begun under its name.
    @Test func aFileThatTakesTheDatabasesPlaceIsLockedToo() throws {
        let folder = try TemporaryFolder()
        let database = folder.file("history.db")
        let first = try #require(try InstanceLock(besides: database))
        #expect(rename(database, database + ".damaged") == 0)
        try folder.write("", to: "history.db")
        #expect(first.claim())
        unlink(database + ".lock")
        #expect(throws: InstanceLock.Failure.self) { try InstanceLock(besides: database) }
    }

    /// POSIX locks of a file go when any descriptor of it is closed in the process that has them.
    @Test func noDescriptorOfTheDatabaseIsClosedWhileAnotherLockOfThisProcessIsInUse() throws {
        let folder = try TemporaryFolder()
        let database = folder.file("history.db")
        var first: InstanceLock? = try InstanceLock(besides: database)
        first?.release()
        let second = try #require(try InstanceLock(besides: database))
        let open = descriptors(of: database)
        first = nil
        #expect(descriptors(of: database) == open)
        second.release()
    }

    private func descriptors(of path: String) -> [Int32] {
        (0..<4_096).filter { descriptor in
            var target = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink("/proc/self/fd/\(descriptor)", &target, target.count)
            return count > 0 && target.prefix(count).elementsEqual(path.utf8.map { CChar(bitPattern: $0) })
        }
    }
}
