internal import Hummingbird
internal import NIOCore

/// One state of a client's list, as it is sent: for whoever asks for it at the same time, and no longer.
final class ListBody: Sendable {
    /// Written in parts, so that who doesn't read holds the one body that all share, and nothing of its own.
    private static let part = 256 << 10

    let tag: EntityTag
    private let bytes: ByteBuffer

    init(_ bytes: [UInt8], tag: EntityTag) { (self.bytes, self.tag) = (ByteBuffer(bytes: bytes), tag) }

    var responseBody: ResponseBody {
        ResponseBody(contentLength: bytes.readableBytes) { [self] writer in
            var rest = bytes
            while rest.readableBytes > 0, let part = rest.readSlice(length: min(Self.part, rest.readableBytes)) {
                try await writer.write(part)
            }
            try await writer.finish(nil)
        }
    }
}

/// Makes each state of a list once, however many ask for it: a list of a hundred thousand targets has 48 MB.
actor ListBodies {
    private struct Weak { weak var body: ListBody? }

    private var made: [String: Weak] = [:]
    private var making: [String: (tag: EntityTag, task: Task<ListBody, any Error>)] = [:]

    /// - Parameters:
    ///   - tag: of the list when it was asked for.
    ///   - make: reads the list, which may have changed since.
    func body(of clientID: String, tag: EntityTag, make: @escaping @Sendable () async throws -> ListBody) async throws -> ListBody
    {
        if let body = made[clientID]?.body, body.tag == tag { return body }
        // What comes of it is that state or a later one: not older than the question.
        if let under = making[clientID], under.tag == tag { return try await under.task.value }
        let task = Task { try await make() }
        making[clientID] = (tag, task)
        defer { if making[clientID]?.task == task { making[clientID] = nil } }
        let body = try await task.value
        made = made.filter { $0.value.body != nil }
        made[clientID] = Weak(body: body)
        return body
    }
}
