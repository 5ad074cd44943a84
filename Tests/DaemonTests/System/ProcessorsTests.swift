import TestSupport
import Testing

@testable import Daemon

/// Control groups as the kernel shows them, in a folder.
@Suite struct ProcessorsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func processors(_ files: [String: String], allowed: String = "ff", groups: String = "0::/system.slice/a.service\n")
        throws -> Int
    {
        try folder.write("Name:\tx\nCpus_allowed:\t\(allowed)\nCpus_allowed_list:\t0-7\n", to: "proc/status")
        try folder.write(groups, to: "proc/cgroup")
        for (path, text) in files { try folder.write(text, to: "groups/" + path) }
        return usableProcessors(groups: folder.file("groups"), of: folder.file("proc"))
    }

    @Test(arguments: [("1", 1), ("ff", 8), ("f0f0", 8), ("ff,ffffffff", 40), ("00000000,00000003", 2)])
    func theProcessorsThatItMayRunOnCount(mask: String, count: Int) throws {
        #expect(try processors([:], allowed: mask) == count)
    }

    @Test(arguments: [
        ("max 100000", 8), ("200000 100000", 2), ("250000 100000", 2), ("50000 100000", 1), ("1600000 100000", 8), ("", 8),
        ("a b", 8),
    ])
    func aQuotaOfTimeBoundsThem(quota: String, count: Int) throws {
        #expect(try processors(["system.slice/a.service/cpu.max": quota + "\n"]) == count)
    }

    @Test func theQuotaOfAGroupAboveCountsToo() throws {
        let files = ["system.slice/a.service/cpu.max": "max 100000\n", "system.slice/cpu.max": "300000 100000\n"]
        #expect(try processors(files) == 3)
    }

    /// The path may be the host's, and in the container only the group itself is mounted.
    @Test func inAContainerTheRootHasTheQuota() throws {
        #expect(try processors(["cpu.max": "400000 100000\n"], groups: "0::/docker/0123abc\n") == 4)
    }

    @Test func theQuotaOfVersion1Counts() throws {
        let files = ["cpu,cpuacct/a/cpu.cfs_quota_us": "150000\n", "cpu,cpuacct/a/cpu.cfs_period_us": "50000\n"]
        #expect(try processors(files, groups: "4:memory:/a\n3:cpu,cpuacct:/a\n0::/\n") == 3)
        #expect(try processors(["cpu,cpuacct/a/cpu.cfs_quota_us": "-1\n"], groups: "3:cpu,cpuacct:/a\n") == 8)
    }

    @Test func thereIsALaneForEachProcessorAndSixteenAtMost() {
        #expect(laneCount(1) == 1)
        #expect(laneCount(16) == 16)
        #expect((1...lanesMax).contains(laneCount(nil)))
    }
}
