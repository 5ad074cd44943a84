import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Curl

/// Cancellation, shutdown and many at a time.
@Suite(.serialized) struct LifetimeTests {
    @Test func aCancelledTaskNeverConnects() async throws {
        let engine = try TransferEngine()
        let server = try ConnectionServer { $0.answer() }
        let wanted = try request(server.url())
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await engine.transfer(wanted)
        }
        #expect(await task.value.code == .cancelled)
        #expect(server.connections == 0)
    }

    @Test func cancellationEndsATransferInFlightAndItsConnection() async throws {
        let engine = try TransferEngine()
        let (arrivals, arrived) = AsyncStream.makeStream(of: Bool.self)
        let server = try ConnectionServer {
            $0.readRequest()
            arrived.yield(true)
            $0.waitForClose()
            arrived.yield(false)
        }
        let wanted = try request(server.url())
        let task = Task { await engine.transfer(wanted) }
        var events = arrivals.makeAsyncIterator()
        #expect(await events.next() == true)
        task.cancel()
        let report = await task.value
        #expect(report.code == .cancelled && report.processing != nil)
        #expect(await events.next() == false)
    }

    @Test func cancellationEndsAWaitForALookup() async throws {
        let resolver = HeldResolver(["127.0.0.1"])
        defer { resolver.release() }
        let engine = try TransferEngine(resolver: resolver.lookUp)
        let wanted = try request("http://held.test/")
        let task = Task { await engine.transfer(wanted) }
        await until { resolver.calls == 1 }
        task.cancel()
        #expect(await task.value.code == .cancelled)
    }

    @Test func shutDownEndsAllInFlightAndRefusesMore() async throws {
        let resolver = HeldResolver(["127.0.0.1"])
        defer { resolver.release() }
        let engine = try TransferEngine(resolver: resolver.lookUp)
        let server = try ConnectionServer { $0.waitForClose() }
        let running = try request(server.url())
        let waiting = try request("http://held.test/")
        let codes = await withTaskGroup(of: TransferFailure.Code?.self) { group in
            for wanted in [running, running, waiting] { group.addTask { await engine.transfer(wanted).code } }
            await until { server.connections == 2 && resolver.calls == 1 }
            await engine.shutDown()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes == [.shutDown, .shutDown, .shutDown])
        #expect(await engine.transfer(running).code == .shutDown)
        await engine.shutDown()
    }

    /// In a process of its own: the descriptors of other tests would be counted, too.
    @Test func threeHundredAreInFlightAtATimeAndLeaveNoDescriptor() async {
        await #expect(processExitsWith: .success) {
            try raiseDescriptorLimit(to: 5000)
            let engine = try TransferEngine()
            // Whatever a first transfer opens once for all.
            let first = try ConnectionServer { $0.answer() }
            #expect(await engine.transfer(try request(first.url())).status == 200)
            let before = openDescriptors()
            do {
                // Nobody is answered before all are here, so all are in flight together.
                let held = Mutex<[Connection]>([])
                let server = try ConnectionServer(isInline: true) { connection in
                    let copy = Connection(descriptor: dup(connection.descriptor))
                    let all = held.withLock { all in
                        all.append(copy)
                        return all.count == 300 ? all : []
                    }
                    for connection in all {
                        connection.answer()
                        connection.close()
                    }
                }
                let wanted = try request(server.url(), timeout: .seconds(60))
                let good = await withTaskGroup(of: Bool.self) { group in
                    for _ in 0..<300 { group.addTask { await engine.transfer(wanted).status == 200 } }
                    return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                #expect(good == 300)
                try await server.untilQuiet()
            }
            await engine.shutDown()
            #expect(openDescriptors() <= before)
        }
    }

    @Test func manyFailuresLeaveNoDescriptor() async {
        await #expect(processExitsWith: .success) {
            let engine = try TransferEngine()
            let server = try ConnectionServer {
                $0.readRequest()
                $0.reset()
            }
            let wanted = try request(server.url())
            #expect(await engine.transfer(wanted).code == .connectReset)
            let before = openDescriptors()
            for _ in 0..<1500 { #expect(await engine.transfer(wanted).code == .connectReset) }
            try await server.untilQuiet()
            #expect(openDescriptors() <= before)
        }
    }
}

private func raiseDescriptorLimit(to wanted: rlim_t) throws {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = max(limit.rlim_cur, min(wanted, limit.rlim_max))
    try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 && limit.rlim_cur >= wanted)
}
