internal import CCurl
internal import CReceive

/// A libcurl easy handle with what must live as long as its options do: the error buffer and the lists. For one transfer, whose timeline it
/// has. It is made and freed on the engine's thread.
///
/// `curl_easy_reset` leaves pointers to what a peer sent before: libcurl 7.88.1 frees the headers of the last answer and keeps the pointer
/// to the last one, and an answer whose first header line begins with a blank writes there. A new handle costs less than a microsecond more.
final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    let errorBuffer: UnsafeMutablePointer<CChar>
    /// Its connection may not have the SSL_CTX of other connections: libcurl puts a client's certificate there.
    let needsOwnContext: Bool
    /// Where the thread's send() and recv() find it.
    let timeline: UnsafeMutablePointer<rf_timeline>
    private var lists: [UnsafeMutablePointer<curl_slist>] = []

    init?(needsOwnContext: Bool = false) {
        guard let pointer = curl_easy_init() else { return nil }
        self.pointer = pointer
        self.needsOwnContext = needsOwnContext
        errorBuffer = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorBuffer.pointee = 0
        timeline = .allocate(capacity: 1)
        timeline.initialize(to: rf_timeline())
        timeline.pointee.descriptor = -1
    }

    deinit {
        curl_easy_cleanup(pointer)
        for list in lists { curl_slist_free_all(list) }
        errorBuffer.deallocate()
        rf_timeline_ends(timeline)
        timeline.deallocate()
    }

    /// A list for CURLOPT_HTTPHEADER and its like; nil without memory.
    ///
    /// - Parameter rawLine: one more, which need be no text.
    func list(_ lines: [String], _ rawLine: [UInt8]? = nil) -> UnsafeMutablePointer<curl_slist>? {
        var list: UnsafeMutablePointer<curl_slist>?
        func append(_ line: UnsafePointer<CChar>?) -> Bool {
            guard let longer = curl_slist_append(list, line) else { return false }
            list = longer
            return true
        }
        let raw = rawLine.map { $0.map(CChar.init(bitPattern:)) + [0] }
        guard lines.allSatisfy({ append($0) }), raw?.withUnsafeBufferPointer({ append($0.baseAddress) }) ?? true else {
            curl_slist_free_all(list)
            return nil
        }
        if let list { lists.append(list) }
        return list
    }
}
