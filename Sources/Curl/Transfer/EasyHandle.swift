internal import CCurl

/// A libcurl easy handle with what must live as long as its options do: the error buffer and the lists. For one transfer.
///
/// `curl_easy_reset` leaves pointers to what a peer sent before: libcurl 7.88.1 frees the headers of the last answer and keeps the pointer
/// to the last one, and an answer whose first header line begins with a blank writes there. A new handle costs less than a microsecond more.
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
        for list in lists { curl_slist_free_all(list) }
        errorBuffer.deallocate()
    }

    /// A list for CURLOPT_HTTPHEADER and its like; nil without memory.
    func list(_ lines: [String]) -> UnsafeMutablePointer<curl_slist>? {
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            guard let longer = curl_slist_append(list, line) else {
                curl_slist_free_all(list)
                return nil
            }
            list = longer
        }
        if let list { lists.append(list) }
        return list
    }
}
