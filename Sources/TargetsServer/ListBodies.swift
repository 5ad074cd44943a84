internal import ConnectionLimits
internal import Hummingbird
internal import NIOCore
internal import Synchronization

/// One state of a client's list, as it is sent: for whoever asks for it at the same time, and no longer.
final class ListBody: Sendable {
    /// Each part is written when the one before has gone, so that who doesn't read holds the one body that all share, for as long as that is
    /// counted.
    private static let part = 256 << 10

    let tag: EntityTag
    private let bytes: ByteBuffer
    private let alive: AliveBytes

    fileprivate init(_ bytes: [UInt8], tag: EntityTag, _ alive: AliveBytes) {
        (self.bytes, self.tag, self.alive) = (ByteBuffer(bytes: bytes), tag, alive)
        alive.add(bytes.count)
    }

    deinit { alive.add(-bytes.readableBytes) }

    func responseBody(over channel: any Channel) -> ResponseBody {
        ResponseBody(contentLength: bytes.readableBytes) { [self] writer in
            for start in stride(from: 0, to: bytes.readableBytes, by: Self.part) {
                let length = min(Self.part, bytes.readableBytes - start)
                guard let part = bytes.getSlice(at: start, length: length) else { break }
                try await writer.write(part)
                try await untilSent(over: channel)
            }
            try await writer.finish(nil)
        }
    }
}

/// How much all bodies have that somebody still reads.
private final class AliveBytes: Sendable {
    private let count = Mutex(0)

    var now: Int { count.withLock { $0 } }
    func add(_ more: Int) { count.withLock { $0 += more } }
}

/// Makes each state of a list once, however many ask for it: a list of a hundred thousand targets has 48 MB. One is made at a time, and none
/// while those that slow readers keep alive have ``bytesMax``: so all together have that and one list more.
actor ListBodies {
    /// Slow readers keep as many bytes as there may be.
    struct Crowded: Error {}

    /// Three lists of the largest.
    static let bytesMax = 192 << 20
    /// Within two minutes at the latest there is room again: `RequestTimer` closes the connection of a reader that doesn't read.
    static let retryAfterSeconds = 10

    private struct Weak { weak var body: ListBody? }

    private let bytesMax: Int
    private let alive = AliveBytes()
    /// By the bytes of a client's id, as the database compares them.
    private var made: [[UInt8]: Weak] = [:]
    private var making: [[UInt8]: (tag: EntityTag, task: Task<ListBody, any Error>)] = [:]
    private var last: Task<ListBody, any Error>?

    init(bytesMax: Int = ListBodies.bytesMax) { self.bytesMax = bytesMax }

    /// - Parameters:
    ///   - tag: of the list when it was asked for.
    ///   - make: reads the list, which may have changed since.
    /// - Throws: ``Crowded``.
    func body(
        of clientID: String, tag: EntityTag, make: @escaping @Sendable () async throws -> (bytes: [UInt8], tag: EntityTag)
    ) async throws -> ListBody {
        let clientID = Array(clientID.utf8)
        if let body = made[clientID]?.body, body.tag == tag { return body }
        // What comes of it is that state or a later one: not older than the question.
        if let under = making[clientID], under.tag == tag { return try await under.task.value }
        let (before, alive, bytesMax) = (last, alive, bytesMax)
        let task = Task {
            _ = await before?.result
            guard alive.now < bytesMax else { throw Crowded() }
            let (bytes, tag) = try await make()
            return ListBody(bytes, tag: tag, alive)
        }
        (making[clientID], last) = ((tag, task), task)
        defer {
            if making[clientID]?.task == task { making[clientID] = nil }
            if last == task { last = nil }
        }
        let body = try await task.value
        made = made.filter { $0.value.body != nil }
        made[clientID] = Weak(body: body)
        return body
    }
}
