import Curl
import Testing
import HostileTargets

/// All hostileCases at once and again and again, in a process of their own, where nothing else opens descriptors or takes memory.
@Suite(.timeLimit(.minutes(5))) struct AllHostileTargetsTests {
    @Test func leavesNoDescriptorThreadOrMemoryBehind() async {
        await #expect(processExitsWith: .success) {
            let hostile = try OpenHostileTargets(HostileTargets.hostileCases)
            // The first time, pools fill, the bundle is read, and OpenSSL makes what it keeps.
            await hostile.probeAll()
            try await hostile.untilQuiet()
            try ProcessUse.forgetPeak()
            let before = try ProcessUse()
            for turn in 1...3 { await hostile.probeAll(turn: UInt64(turn)) }
            try await hostile.untilQuiet()
            let after = try ProcessUse()
            // The thread sanitizer talks through pipes to the program that tells it the names of functions.
            var added = Set(after.descriptors).subtracting(before.descriptors)
                .filter { !(HostileTargets.isSanitized && $0.hasPrefix("pipe:")) }
            // The test's own CA file is read once a second as long as it is new, on a thread of its own: that is closed a moment later.
            for _ in 0..<1000 where !added.isEmpty { added.formIntersection(try ProcessUse().descriptors) }
            #expect(added == [], "left open: \(added.sorted())")
            // Some hundred probes a turn, so one that is left by each would show; a thread that has closed its socket may still be ending.
            #expect(after.threads < before.threads + 20, "\(before.threads) threads, then \(after.threads)")
            // The servers are in this process too, and are the most of it. The thread sanitizer takes memory for itself.
            let grown = after.peakKibibytes - before.residentKibibytes
            #expect(grown < 50 << 10 || HostileTargets.isSanitized, "\(grown) KiB more at the peak")
            await hostile.close()
        }
    }
}
