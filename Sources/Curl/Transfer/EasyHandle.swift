internal import CCurl

/// A libcurl easy handle with what must live as long as its options do: the error buffer and the lists.
final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    let errorBuffer: UnsafeMutablePointer<CChar>
    private var lists: [UnsafeMutablePointer<curl_slist>] = []

    init?() {
        guard let pointer = curl_easy_init() else { return nil }
        self.pointer = pointer
        errorBuffer = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorBuffer.pointee = 0
    }

    deinit {
        curl_easy_cleanup(pointer)
        freeLists()
        errorBuffer.deallocate()
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

    /// Forgets every option of the last transfer.
    func reset() {
        curl_easy_reset(pointer)
        freeLists()
        errorBuffer.pointee = 0
    }

    private func freeLists() {
        for list in lists { curl_slist_free_all(list) }
        lists.removeAll(keepingCapacity: true)
    }
}

/// Handles between two transfers: at most 256, so that a burst leaves no memory behind.
final class HandlePool {
    private static let limit = 256
    private var idle: [EasyHandle] = []

    func take() -> EasyHandle? { idle.popLast() ?? EasyHandle() }

    /// A handle that saw an error of the system isn't used again: curl_easy_reset leaves CURLINFO_OS_ERRNO as it is (7.88.1), and the next
    /// transfer's failure would be told by it.
    func give(_ handle: EasyHandle) {
        guard rf_get_long(handle.pointer, CURLINFO_OS_ERRNO) == 0 else { return }
        handle.reset()
        // What it can't be told once it can't be told again.
        guard idle.count < Self.limit, rf_set_long(handle.pointer, CURLOPT_BUFFERSIZE, TransferOptions.bufferBytes) == CURLE_OK
        else {
            return
        }
        idle.append(handle)
    }

    func removeAll() { idle.removeAll() }
}
